package dev.guardedby.circuitbreaker;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * What a call costs: tokens in, tokens out, and money in whole nano-USD.
 *
 * <p>Money is exact: 1 USD is 1,000,000,000 nano-USD, so a {@code long} holds up to 9,223,372,036 USD. Input tokens include
 * cache reads and writes, output tokens include reasoning.
 *
 * @param inputTokens tokens sent, 0 or more
 * @param outputTokens tokens received, 0 or more
 * @param nanoUsd money in billionths of a US dollar, 0 or more
 */
public record Cost(long inputTokens, long outputTokens, long nanoUsd) {
    /** Nothing. */
    public static final Cost ZERO = new Cost(0, 0, 0);

    private static final int NANO_DIGITS = 9;
    /** The most that fits. */
    static final BigDecimal MOST_USD = BigDecimal.valueOf(Long.MAX_VALUE, NANO_DIGITS);
    // One record above these is a mistake in units, not a bill: per-token prices entered as per-million, for example.
    private static final long MOST_NANO_USD_A_RECORD = 1_000_000L * 1_000_000_000L;
    private static final long MOST_TOKENS_A_RECORD = 1_000_000_000_000L;

    /**
     * A cost in whole nano-USD.
     *
     * @throws IllegalArgumentException if an amount is negative
     */
    public Cost {
        notNegative("inputTokens", inputTokens);
        notNegative("outputTokens", outputTokens);
        notNegative("nanoUsd", nanoUsd);
    }

    /**
     * A cost in tokens and dollars.
     *
     * @param inputTokens tokens sent, 0 or more
     * @param outputTokens tokens received, 0 or more
     * @param usd US dollars, 0 or more; a fraction of a nano-USD is rounded up
     * @throws IllegalArgumentException if an amount is negative, or above 9,223,372,036 USD
     */
    public static Cost of(long inputTokens, long outputTokens, BigDecimal usd) {
        return new Cost(inputTokens, outputTokens, toNano(usd));
    }

    /**
     * A cost in dollars alone.
     *
     * @param amount US dollars as a decimal number, {@code "0.02"}; a fraction of a nano-USD is rounded up
     * @throws IllegalArgumentException if the text is no number (NaN and infinity are none), negative, or above 9,223,372,036 USD
     */
    public static Cost usd(String amount) {
        BigDecimal usd;
        try {
            usd = new BigDecimal(amount);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("usd must be a decimal number, but was '" + amount + "'", e);
        }
        return of(0, 0, usd);
    }

    /** The money in US dollars, exact, without trailing zeros. */
    public BigDecimal usd() {
        BigDecimal usd = BigDecimal.valueOf(nanoUsd, NANO_DIGITS).stripTrailingZeros();
        // 100 USD is written 100, never 1E+2.
        return usd.scale() < 0 ? usd.setScale(0) : usd;
    }

    /** The sum of both; each part stops at {@link Long#MAX_VALUE} and never wraps. */
    public Cost plus(Cost other) {
        return new Cost(
                saturatedSum(inputTokens, other.inputTokens),
                saturatedSum(outputTokens, other.outputTokens),
                saturatedSum(nanoUsd, other.nanoUsd));
    }

    /** What is left of this without the other; no part falls below 0. */
    Cost minus(Cost other) {
        return new Cost(
                Math.max(0, inputTokens - other.inputTokens),
                Math.max(0, outputTokens - other.outputTokens),
                Math.max(0, nanoUsd - other.nanoUsd));
    }

    /** The same without the money. */
    Cost tokens() {
        return new Cost(inputTokens, outputTokens, 0);
    }

    /** Refuses what no single call can cost. */
    void requireRecordable() {
        plausible("inputTokens", inputTokens, MOST_TOKENS_A_RECORD);
        plausible("outputTokens", outputTokens, MOST_TOKENS_A_RECORD);
        if (nanoUsd > MOST_NANO_USD_A_RECORD) {
            throw new IllegalArgumentException(
                    "cost must be at most 1000000 USD a record, but was " + usd().toPlainString() + " USD");
        }
    }

    private static long toNano(BigDecimal usd) {
        if (usd.signum() < 0) {
            throw new IllegalArgumentException("usd must not be negative, but was " + usd);
        }
        if (usd.compareTo(MOST_USD) > 0) {
            throw new IllegalArgumentException("usd must be at most " + MOST_USD + ", but was " + usd);
        }
        // Far below a nano-USD: answered here, because rounding 1E-999999999 would build a number of a billion digits.
        if (usd.signum() > 0 && (long) usd.precision() - usd.scale() < -NANO_DIGITS) {
            return 1;
        }
        return usd.signum() == 0
                ? 0
                : usd.setScale(NANO_DIGITS, RoundingMode.CEILING)
                        .unscaledValue()
                        .longValueExact();
    }

    private static long saturatedSum(long a, long b) {
        long sum = a + b;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }

    private static void notNegative(String what, long amount) {
        if (amount < 0) {
            throw new IllegalArgumentException(what + " must not be negative, but was " + amount);
        }
    }

    private static void plausible(String what, long amount, long most) {
        if (amount > most) {
            throw new IllegalArgumentException(what + " must be at most " + most + " a record, but was " + amount);
        }
    }
}
