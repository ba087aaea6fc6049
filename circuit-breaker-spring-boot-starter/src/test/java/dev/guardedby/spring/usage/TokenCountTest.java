package dev.guardedby.spring.usage;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rather too many tokens than too few: ASCII characters by 3, the bytes of all others by 3 and twice, rounded up. */
class TokenCountTest {
    @ParameterizedTest
    @CsvSource({
        "'', 0",
        "a, 1",
        "Why, 1",
        "Why?, 2",
        "'a b', 1",
        "'1,2,3', 5",
        "'{\"a\":1}', 7",
        "ä, 2",
        "aä, 2",
        "€, 2",
        "東京, 4",
        "😀, 3",
        "😀😀😀, 8"
    })
    void text_hasAtMostSoMany(String text, long tokens) {
        assertThat(TokenCount.of(text)).isEqualTo(tokens);
    }

    @Test
    void piecesAreCountedTogether() {
        TokenCount count = new TokenCount();
        assertThat(count.tokens()).isZero();
        for (String piece : new String[] {"Be", "cau", "se", ""}) {
            count.add(piece);
        }
        assertThat(count.tokens()).isEqualTo(3);
    }
}
