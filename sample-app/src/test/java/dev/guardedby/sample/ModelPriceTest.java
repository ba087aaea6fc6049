package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ModelPriceTest {
    @Test
    void aMillionTokens_costThePriceOnTheList() {
        assertThat(usd(1_000_000, 0)).isEqualTo("0.4");
        assertThat(usd(0, 1_000_000)).isEqualTo("1.6");
    }

    @Test
    void aSingleToken_isNotRoundedAway() {
        assertThat(usd(1, 0)).isEqualTo("0.0000004");
        assertThat(usd(1, 1)).isEqualTo("0.000002");
        assertThat(usd(0, 0)).isEqualTo("0");
    }

    private static String usd(long promptTokens, long completionTokens) {
        return ModelPrice.of(new Completion.Usage(promptTokens, completionTokens))
                .usd()
                .toPlainString();
    }
}
