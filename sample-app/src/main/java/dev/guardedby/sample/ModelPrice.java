package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.Cost;
import java.math.BigDecimal;

/** What gpt-4.1-mini costs: 0.40 USD per million tokens in, 1.60 USD per million tokens out. */
final class ModelPrice {
    private static final BigDecimal INPUT_PER_MILLION = new BigDecimal("0.40");
    private static final BigDecimal OUTPUT_PER_MILLION = new BigDecimal("1.60");

    private ModelPrice() {}

    static Cost of(Completion.Usage usage) {
        BigDecimal input = INPUT_PER_MILLION.multiply(BigDecimal.valueOf(usage.promptTokens()));
        BigDecimal output = OUTPUT_PER_MILLION.multiply(BigDecimal.valueOf(usage.completionTokens()));
        return Cost.of(
                usage.promptTokens(),
                usage.completionTokens(),
                input.add(output).movePointLeft(6));
    }
}
