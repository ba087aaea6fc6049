package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How much may be spent in a window: {@code Budget.usd("daily", new BigDecimal("25")).per(BudgetWindow.day(zone)).build()}.
 *
 * <p>It is an immutable value, equal to any other that says the same.
 */
public final class Budget {
    private final String name;
    private final Unit unit;
    private final long wholeLimit;
    private final BudgetWindow window;
    private final List<Integer> warnAt;
    private final @Nullable Integer degradeAt;
    private final @Nullable String degradeTo;
    private final boolean requireEstimate;
    /** At how many percent of the limit spent listeners are told, ascending. */
    final int[] levels;

    private Budget(Builder builder, BudgetWindow window) {
        this.name = Require.name(builder.name);
        this.unit = builder.unit;
        this.wholeLimit = unit.wholeLimit(builder.limit);
        this.window = window;
        this.warnAt = warnAt(builder.warnAt);
        this.degradeAt = builder.degradeAt;
        this.degradeTo = builder.degradeTo;
        this.requireEstimate = builder.requireEstimate;
        if (degradeAt != null && !isPercent(degradeAt)) {
            throw new IllegalArgumentException("degrade-at must be from 1 to 100, but was " + degradeAt);
        }
        if (degradeTo != null && (degradeAt == null || degradeTo.isBlank())) {
            throw new IllegalArgumentException(
                    degradeAt == null
                            ? "degrade-to must stand beside a degrade-at, but there is none"
                            : "degrade-to must be the name of a model, but was '" + degradeTo + "'");
        }
        this.levels = IntStream.concat(warnAt.stream().mapToInt(Integer::intValue), degradeAt().stream())
                .sorted()
                .distinct()
                .toArray();
    }

    /**
     * A budget in US dollars.
     *
     * @param name 1 to 64 letters, digits, {@code .}, {@code _} or {@code -}
     * @param limit 0 to 9,223,372,036 USD, with at most 9 decimals; 0 refuses all calls
     */
    public static Builder usd(String name, BigDecimal limit) {
        return new Builder(name, Unit.USD, Objects.requireNonNull(limit, "usd"));
    }

    /**
     * A budget in tokens, input and output together.
     *
     * @param name 1 to 64 letters, digits, {@code .}, {@code _} or {@code -}
     * @param limit 0 or more; 0 refuses all calls
     */
    public static Builder tokens(String name, long limit) {
        return new Builder(name, Unit.TOKENS, BigDecimal.valueOf(limit));
    }

    /**
     * A budget in calls.
     *
     * @param name 1 to 64 letters, digits, {@code .}, {@code _} or {@code -}
     * @param limit 0 or more; 0 refuses all calls
     */
    public static Builder calls(String name, long limit) {
        return new Builder(name, Unit.CALLS, BigDecimal.valueOf(limit));
    }

    private static List<Integer> warnAt(int... percents) {
        for (int i = 0; i < percents.length; i++) {
            if (!isPercent(percents[i]) || (i > 0 && percents[i] <= percents[i - 1])) {
                throw new IllegalArgumentException(
                        "warn-at must be percentages from 1 to 100 in ascending order, but was "
                                + Arrays.toString(percents));
            }
        }
        return Arrays.stream(percents).boxed().collect(Collectors.toUnmodifiableList());
    }

    private static boolean isPercent(int percent) {
        return percent >= 1 && percent <= 100;
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /** What it is counted in. */
    public Unit unit() {
        return unit;
    }

    /** How much may be spent in a window, in its unit. */
    public BigDecimal limit() {
        return unit.decimal(wholeLimit);
    }

    /** What the limit is for. */
    public BudgetWindow window() {
        return window;
    }

    /** At how many percent of the limit spent a warning is given, once a window; ascending, empty for no warnings. */
    public List<Integer> warnAt() {
        return warnAt;
    }

    /** From how many percent of the limit spent on a cheaper model is advised; empty for never. */
    public OptionalInt degradeAt() {
        return degradeAt == null ? OptionalInt.empty() : OptionalInt.of(degradeAt);
    }

    /** The cheaper model that is advised; empty if none is named. */
    public Optional<String> degradeTo() {
        return Optional.ofNullable(degradeTo);
    }

    /** Whether so much of a limit spent, in whole nano-USD, tokens or calls, makes a cheaper model advisable. */
    boolean isToDegrade(long spent, long limit) {
        return degradeAt != null && spent >= share(degradeAt, limit);
    }

    /** Whether calls are refused whose cost in this unit nobody can estimate. */
    public boolean requireEstimate() {
        return requireEstimate;
    }

    /** The limit in whole nano-USD, tokens or calls. */
    long wholeLimit() {
        return wholeLimit;
    }

    /**
     * The least amount, in whole nano-USD, tokens or calls, that is so many percent of a limit.
     *
     * @param percent 0 to 100
     * @param limit 0 or more: the budget's, or an operator's
     */
    static long share(int percent, long limit) {
        return limit / 100 * percent + (limit % 100 * percent + 99) / 100;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Budget budget
                && name.equals(budget.name)
                && unit == budget.unit
                && wholeLimit == budget.wholeLimit
                && window.equals(budget.window)
                && warnAt.equals(budget.warnAt)
                && Objects.equals(degradeAt, budget.degradeAt)
                && Objects.equals(degradeTo, budget.degradeTo)
                && requireEstimate == budget.requireEstimate;
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, unit, wholeLimit, window, warnAt, degradeAt, degradeTo, requireEstimate);
    }

    /** {@code Budget[name=daily, usd=25, window=day:Europe/Berlin]}. */
    @Override
    public String toString() {
        return "Budget[name=" + name + ", " + unit.key() + "=" + limit() + ", window=" + window + "]";
    }

    /** The settings of a {@link Budget}; for one thread. */
    public static final class Builder {
        private final String name;
        private final Unit unit;
        private final BigDecimal limit;
        private @Nullable BudgetWindow window;
        private int[] warnAt = {};
        private @Nullable Integer degradeAt;
        private @Nullable String degradeTo;
        private boolean requireEstimate;

        private Builder(String name, Unit unit, BigDecimal limit) {
            this.name = Objects.requireNonNull(name, "name");
            this.unit = unit;
            this.limit = limit;
        }

        /** What the limit is for. There is no default: a limit a day and one for ever differ too much to guess. */
        public Builder per(BudgetWindow window) {
            this.window = Objects.requireNonNull(window, "window");
            return this;
        }

        /** At how many percent of the limit spent to warn, once a window: 1 to 100, ascending; default none. */
        public Builder warnAt(int... percents) {
            this.warnAt = percents.clone();
            return this;
        }

        /** From how many percent of the limit spent on to advise a cheaper model: 1 to 100; default never. */
        public Builder degradeAt(int percent) {
            this.degradeAt = percent;
            return this;
        }

        /** The cheaper model to advise, as the client names models; default none, which leaves it to the application. */
        public Builder degradeTo(String model) {
            this.degradeTo = Objects.requireNonNull(model, "degrade-to");
            return this;
        }

        /**
         * Whether to refuse a call whose cost in this unit nobody can estimate, rather than to let it pass while anything is left;
         * default false.
         */
        public Builder requireEstimate(boolean required) {
            this.requireEstimate = required;
            return this;
        }

        /**
         * The budget.
         *
         * @throws IllegalArgumentException if there is no window, or a setting is out of its range
         */
        public Budget build() {
            if (window == null) {
                throw new IllegalArgumentException("window must be set for budget '" + name + "', but was not");
            }
            return new Budget(this, window);
        }
    }
}
