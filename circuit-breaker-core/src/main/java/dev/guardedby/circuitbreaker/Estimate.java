package dev.guardedby.circuitbreaker;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a call may cost, as far as somebody knows before it is made.
 *
 * <p>Money and tokens are looked at apart. Each is reserved as the bound says, or else as the breaker's {@code estimate-per-call}
 * does, or else as is likely. Only the last can be passed: a budget in which it counts is {@link BudgetStatus.Kind#SOFT}. Beside a bound,
 * what is likely is what a call costs that has succeeded, if nobody knows; so the bound may be for several attempts.
 *
 * @param atMost the bound; 0 where nobody knows one
 * @param likely what such a call costs as a rule; 0 where nobody knows
 * @param unpriced the model that has no price, if nobody will be able to tell what the call has cost: budgets in US dollars refuse it; else
 *     null
 */
public record Estimate(Cost atMost, Cost likely, @Nullable String unpriced) {
    /** Nobody knows. */
    public static final Estimate UNKNOWN = new Estimate(Cost.ZERO, Cost.ZERO);

    /** An estimate of both kinds, of what can be priced. */
    public Estimate(Cost atMost, Cost likely) {
        this(atMost, likely, null);
    }

    /** An estimate of both kinds. */
    public Estimate {
        Objects.requireNonNull(atMost, "atMost");
        Objects.requireNonNull(likely, "likely");
    }

    /** A bound: the call costs no more. */
    public static Estimate atMost(Cost bound) {
        return new Estimate(bound, Cost.ZERO);
    }

    /** What the call costs as a rule, and may pass. */
    public static Estimate likely(Cost cost) {
        return new Estimate(Cost.ZERO, cost);
    }

    /**
     * The same, but nobody will be able to price it: where a budget counts US dollars it is refused, by a {@link BudgetExceededException} of
     * the kind {@link BudgetExceededException.Kind#UNPRICED}.
     *
     * @param model the model that has no price, for the message
     */
    public Estimate withoutPriceOf(String model) {
        return new Estimate(atMost, likely, Objects.requireNonNull(model, "model"));
    }
}
