package dev.guardedby.spring.answers;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The codes in the body of an error answer: {@code {"error": {"type": "…", "code": "…"}}} and what looks like it.
 *
 * <p>Looked for and not parsed, so that no JSON library is needed and a body that is cut off, wrong or endless does no harm.
 * What a message quotes is not found, for there the quotation marks are escaped.
 */
final class ErrorBody {
    // Errors are short; who sends more has said by then what is wrong.
    private static final int LOOKED_AT = 8_192;
    private static final int MOST_CODES = 8;
    private static final String BEGIN = "\"error\"";
    private static final Pattern CODE = Pattern.compile("\"(?:code|type|error_code)\"\\s*:\\s*\"([\\w.-]{1,64})\"");

    private ErrorBody() {}

    /** The codes in a text or its bytes; none in anything else, such as a stream, which stays unread. */
    static List<String> codes(@Nullable Object body) {
        if (body instanceof byte[] bytes) {
            return codesIn(new String(bytes, 0, Math.min(bytes.length, LOOKED_AT), StandardCharsets.UTF_8));
        }
        return body instanceof String text ? codesIn(text.substring(0, Math.min(text.length(), LOOKED_AT))) : List.of();
    }

    private static List<String> codesIn(String text) {
        int begin = text.indexOf(BEGIN);
        return begin < 0
                ? List.of()
                : CODE.matcher(text.substring(begin))
                        .results()
                        .limit(MOST_CODES)
                        .map(found -> found.group(1))
                        .toList();
    }
}
