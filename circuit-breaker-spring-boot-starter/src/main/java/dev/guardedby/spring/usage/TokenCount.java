package dev.guardedby.spring.usage;

/** Counts the tokens of texts, without knowing how a model cuts them: rather too many than too few. */
public final class TokenCount {
    /** What a message has beside its text, in tokens: who says it, and where it begins and ends. */
    public static final long OF_A_MESSAGE = 16;

    private TokenCount() {}

    /**
     * At most so many tokens has a text of prose, code or JSON: one for 3 characters of ASCII, two for 3 bytes of all others, as UTF-8 has
     * them. Anthropic's glossary says about 3.5 characters of English for a token. Noise, such as long numbers, may have more.
     */
    public static long of(String text) {
        // In thirds of a token.
        long thirds = 0;
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            // Each half of a pair stands for 2 of its 4 bytes.
            thirds += next < 0x80 ? 1 : next < 0x800 || Character.isSurrogate(next) ? 4 : 6;
        }
        return (thirds + 2) / 3;
    }
}
