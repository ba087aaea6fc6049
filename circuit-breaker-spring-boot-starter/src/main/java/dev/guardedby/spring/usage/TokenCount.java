package dev.guardedby.spring.usage;

/**
 * Counts the tokens of texts, without knowing how a model cuts them: rather too many than too few. A token is counted for 3 letters or
 * blanks of ASCII, for each of its digits and signs, and two for 3 bytes of all other characters, as UTF-8 has them. Anthropic's glossary says
 * about 3.5 characters of English for a token. Letters without sense, such as base64, may have more.
 *
 * <p>An instance adds up what comes in pieces. Not thread-safe.
 */
public final class TokenCount {
    /** What a message has beside its text, in tokens: who says it, and where it begins and ends. */
    public static final long OF_A_MESSAGE = 16;

    private static final int WHOLE = 3;

    /** Of a token. */
    private long thirds;

    /** A count of nothing. */
    public TokenCount() {}

    /** The tokens of a text, 0 or more. */
    public static long of(String text) {
        TokenCount count = new TokenCount();
        count.add(text);
        return count.tokens();
    }

    /** Adds a piece of the text. */
    public void add(String piece) {
        for (int i = 0; i < piece.length(); i++) {
            thirds += thirds(piece.charAt(i));
        }
    }

    private static int thirds(char next) {
        if (next < 0x80) {
            return Character.isLetter(next) || Character.isWhitespace(next) ? 1 : WHOLE;
        }
        // Each half of a pair stands for 2 of its 4 bytes.
        return next < 0x800 || Character.isSurrogate(next) ? 4 : 6;
    }

    /** The tokens so far, 0 or more. */
    public long tokens() {
        return (thirds + WHOLE - 1) / WHOLE;
    }
}
