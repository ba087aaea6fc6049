package dev.guardedby.spring.answers;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The codes in the body of an error answer: {@code {"error": {"type": "…", "code": "…"}}}.
 *
 * <p>They count in the error itself and, for Anthropic, in {@code error.details.error_code}, and nowhere else: a remote that
 * echoes what it was sent would let its callers open the breaker for everybody.
 *
 * <p>Looked for and not parsed, so that no JSON library is needed and a body that is cut off, wrong or endless does no harm.
 */
final class ErrorBody {
    // Errors are short; who sends more has said by then what is wrong.
    private static final int LOOKED_AT = 8_192;
    private static final int MOST_CODES = 8;
    private static final List<List<String>> PLACES = List.of(
            List.of("error", "code"),
            List.of("error", "type"),
            List.of("error", "error_code"),
            List.of("error", "details", "error_code"));
    private static final int DEEPEST = 3;
    private static final Pattern CODE = Pattern.compile("[\\w.-]{1,64}");
    private static final String NO_MEMBER = "";

    private final String text;
    /** The member that is being read, in each of the objects around the place that is looked at; the first is level 1. */
    private final String[] members = new String[DEEPEST + 1];

    private final List<String> codes = new ArrayList<>();
    private int level;

    private ErrorBody(String text) {
        this.text = text;
    }

    /** The codes in a text or its bytes; none in anything else, such as a stream, which stays unread. */
    static List<String> codes(@Nullable Object body) {
        if (body instanceof byte[] bytes) {
            return codesIn(new String(bytes, 0, Math.min(bytes.length, LOOKED_AT), StandardCharsets.UTF_8));
        }
        return body instanceof String text ? codesIn(text.substring(0, Math.min(text.length(), LOOKED_AT))) : List.of();
    }

    private static List<String> codesIn(String text) {
        String json = text.stripLeading();
        if (!json.startsWith("{")) {
            return List.of();
        }
        ErrorBody body = new ErrorBody(json);
        body.read();
        return body.codes;
    }

    private void read() {
        String last = NO_MEMBER;
        int at = 0;
        do {
            switch (text.charAt(at)) {
                case '{', '[' -> {
                    level++;
                    reading(NO_MEMBER);
                }
                case '}', ']' -> level--;
                case ',' -> reading(NO_MEMBER);
                case ':' -> reading(last);
                case '"' -> {
                    int end = endOfString(at);
                    last = text.substring(at + 1, end);
                    take(last);
                    at = end;
                }
                default -> {}
            }
            at++;
        } while (level > 0 && at < text.length() && codes.size() < MOST_CODES);
    }

    private void reading(String member) {
        if (level <= DEEPEST) {
            members[level] = member;
        }
    }

    private void take(String value) {
        if (level <= DEEPEST
                && PLACES.contains(Arrays.asList(members).subList(1, level + 1))
                && CODE.matcher(value).matches()) {
            codes.add(value);
        }
    }

    /** Where the quotation mark is that ends a string; the end of the text if it is cut off. */
    private int endOfString(int begin) {
        int end = begin + 1;
        while (end < text.length() && text.charAt(end) != '"') {
            end += text.charAt(end) == '\\' ? 2 : 1;
        }
        return Math.min(end, text.length());
    }
}
