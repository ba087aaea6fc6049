package dev.guardedby.circuitbreaker;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a budget has spent and holds at one instant.
 *
 * @param name the name of the budget
 * @param unit what it is counted in
 * @param limit how much may be spent in a window, 0 or more; an operator's limit where one was set
 * @param spent what has been charged in the present window, 0 or more; above the limit where calls cost more than they held
 * @param held what calls under way have reserved in the present window, 0 or more
 * @param resetsAt when the next window begins; null for the windows {@code call}, rolling and {@code lifetime}
 * @param kind how far the numbers bind
 * @param asOf when the numbers were read, by the wall clock
 */
public record BudgetStatus(
        String name,
        Unit unit,
        BigDecimal limit,
        BigDecimal spent,
        BigDecimal held,
        @Nullable Instant resetsAt,
        Kind kind,
        Instant asOf)
        implements Serializable {
    /**
     * The state of a budget.
     *
     * @throws IllegalArgumentException if an amount is negative
     */
    public BudgetStatus {
        notNegative("limit", limit);
        notNegative("spent", spent);
        notNegative("held", held);
    }

    /**
     * How much of the limit has been spent, in whole percent, rounded down: 100 and more only when nothing is left. What is held
     * does not count. It is 100 where the limit is 0, and at most {@link Integer#MAX_VALUE}.
     */
    public int percentSpent() {
        if (limit.signum() == 0) {
            return 100;
        }
        BigDecimal percent = spent.movePointRight(2).divide(limit, 0, RoundingMode.DOWN);
        return percent.min(BigDecimal.valueOf(Integer.MAX_VALUE)).intValue();
    }

    private static void notNegative(String what, BigDecimal amount) {
        if (amount.signum() < 0) {
            throw new IllegalArgumentException(what + " must not be negative, but was " + amount);
        }
    }

    /** What a budget is counted in. */
    public enum Unit {
        /** US dollars, kept in whole billionths. */
        USD("usd", 9),
        /** Tokens, input and output. */
        TOKENS("tokens", 0),
        /** Calls. */
        CALLS("calls", 0);

        private final String key;
        private final int decimals;
        private final BigDecimal most;

        Unit(String key, int decimals) {
            this.key = key;
            this.decimals = decimals;
            this.most = BigDecimal.valueOf(Long.MAX_VALUE, decimals);
        }

        /** The unit as {@code application.yml} writes it. */
        String key() {
            return key;
        }

        /** The limit in whole nano-USD, tokens or calls; one that is finer is refused, because no rounding is what was meant. */
        long wholeLimit(BigDecimal limit) {
            if (limit.signum() < 0) {
                throw new IllegalArgumentException(key + " must not be negative, but was " + limit);
            }
            if (limit.compareTo(most) > 0) {
                throw new IllegalArgumentException(key + " must be at most " + most + ", but was " + limit);
            }
            if (isFine(limit)) {
                throw new IllegalArgumentException(
                        key + (decimals == 0 ? " must be a whole number" : " must have at most 9 decimals")
                                + ", but was " + limit);
            }
            return limit.signum() == 0
                    ? 0
                    : limit.setScale(decimals, RoundingMode.UNNECESSARY)
                            .unscaledValue()
                            .longValueExact();
        }

        /** So much of the unit, exact, without trailing zeros. */
        BigDecimal decimal(long amount) {
            BigDecimal exact = BigDecimal.valueOf(amount, decimals).stripTrailingZeros();
            // 100 USD is written 100, never 1E+2.
            return exact.scale() < 0 ? exact.setScale(0) : exact;
        }

        private boolean isFine(BigDecimal limit) {
            if (limit.signum() == 0) {
                return false;
            }
            // Below the smallest amount: answered here, because rounding 1E-999999999 would build a number of a billion
            // digits.
            return (long) limit.precision() - limit.scale() <= -decimals
                    || limit.setScale(decimals, RoundingMode.DOWN).compareTo(limit) != 0;
        }
    }

    /** How far the numbers of a budget bind. */
    public enum Kind {
        /** Calls hold what they may cost at most: the limit is not passed. */
        EXACT,
        /** Calls pass whose cost nobody knew before: what is under way can pass the limit. */
        SOFT,
        /** The shared store is away: the numbers are those of this instance alone. */
        LOCAL
    }
}
