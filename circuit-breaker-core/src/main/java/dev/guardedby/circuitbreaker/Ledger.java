package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the accounts of budgets: what each has spent and holds in its present window.
 *
 * <p>A call reserves what it may cost and settles what it did cost. Amounts are whole nano-USD, tokens or calls, and never
 * negative. Several breakers may have one ledger, on one machine or on many.
 *
 * <p>Implementations are thread-safe and keep these rules:
 *
 * <ul>
 *   <li>Nothing blocks the caller. What needs time goes on behind the stage, and every stage completes in bounded time: admissions
 *       wait for {@link #reserve}. A stage that fails refuses the call with {@link Kind#STORE}; a policy for a store that is away,
 *       such as to let calls pass, is the ledger's own and shows as {@link BudgetStatus.Kind#LOCAL}.
 *   <li>A window begins with nothing spent and nothing held. What was reserved in one is settled there, however late. The windows of
 *       an account follow one another and never go back, whatever the clocks do.
 *   <li>A hold that is not settled {@link Hold#timeout} after it was made is lost: its amounts count as spent in the window that
 *       made it, until a settlement replaces them.
 *   <li>Rolling windows are kept by slices of at most a sixtieth of their length, and forget a slice late, never early.
 *   <li>Sums stop at {@link Long#MAX_VALUE} and never fall below zero.
 * </ul>
 */
public interface Ledger {
    /** A ledger in the memory of this process. It completes everything at once, and is as exact for 64 threads as for one. */
    static Ledger inMemory() {
        return new MemoryLedger();
    }

    /**
     * Whether the accounts live on when this process ends, so that what its calls hold must be settled before; by default they do.
     */
    default boolean outlivesProcess() {
        return true;
    }

    /**
     * Reserves all lines of a hold, or none.
     *
     * <p>A line fits when {@code spent + held + amount <= limit} and {@code spent + held < limit}, with the limit that an operator
     * {@linkplain #limit set}, else that of the line. A hold that is {@linkplain Hold#isForced() forced} is booked even where lines
     * do not fit, and the answer says so all the same.
     */
    CompletionStage<Answer> reserve(Hold hold);

    /**
     * Raises what a hold has reserved, in all lines or in none, for a call that goes on to its next step.
     *
     * <p>A line fits by the same rule as in {@link #reserve}, where what the hold has reserved already does not count; an amount at or
     * below that changes nothing. The time of the hold begins anew, and one that was lost is held again. A hold that is settled stays as it
     * is, and the answer is that all fits. All in the window that reserved it.
     */
    CompletionStage<Answer> extend(Extension extension);

    /**
     * Replaces what a hold has reserved, or what an earlier settlement of it charged, by what the call cost.
     *
     * <p>Of several settlements of one hold the one of the highest {@link Settlement#revision} is what counts, in whatever order and
     * however often they arrive. One of a hold that was never answered makes it void, should it still arrive. Never blocks.
     *
     * @return how the accounts stand then, in the order of the lines
     */
    CompletionStage<List<Balance>> settle(Settlement settlement);

    /** Corrects what is charged in the present window, never below zero, without a hold. */
    CompletionStage<Balance> adjust(Adjustment adjustment);

    /**
     * Sets the limit of an account in place of those of all lines, from now on, in later windows too. A limit for an account
     * without a key holds for all keys that were given none of their own.
     *
     * @param line the account, with the limit to set; the amount means nothing
     */
    CompletionStage<Balance> limit(Line line, Moment now);

    /**
     * How accounts stand; moves nothing, and keeps no account for being looked at.
     *
     * @return the balances in the order of the lines, with their limits where no operator has set another
     */
    CompletionStage<List<Balance>> look(List<Line> lines, Moment now);

    /**
     * What a sum is kept for. An account has a new sum in each window.
     *
     * @param breaker the breaker whose budget it is; null for a budget that breakers share
     * @param key the key whose budget it is; null for that of the breaker itself
     * @param budget the name of the budget
     * @param unit what it is counted in
     * @param window what a sum is for; never {@link BudgetWindow#call()}
     */
    record Account(@Nullable String breaker, @Nullable String key, String budget, Unit unit, BudgetWindow window) {

        /** The window that holds an instant, where windows are those of a calendar, or the only one; empty for rolling ones. */
        public Optional<Span> span(Instant instant) {
            if (window instanceof CalendarWindow calendar) {
                return Optional.of(calendar.span(instant));
            }
            return window instanceof RollingWindow ? Optional.empty() : Optional.of(UntimedWindow.LIFE);
        }

        /** The length of a rolling window; empty for the others. */
        public Optional<Duration> rolling() {
            return window instanceof RollingWindow rolling
                    ? Optional.of(Duration.ofNanos(rolling.nanos()))
                    : Optional.empty();
        }

        /** The account of the breaker itself, if this is one of a key. */
        Account ofBreaker() {
            return new Account(breaker, null, budget, unit, window);
        }
    }

    /**
     * When something is asked for.
     *
     * @param wall by the wall clock, which windows of a calendar go by; null where nothing does
     * @param nanos by the ticker, which durations go by: compared by difference only
     */
    record Moment(@Nullable Instant wall, long nanos) {}

    /**
     * What a call asks of one account.
     *
     * @param limit the limit as it is configured where the call is made
     * @param amount what the call may cost; 0 if nobody knows
     * @param soft whether the call may cost more than that
     */
    record Line(Account account, long limit, long amount, boolean soft) {}

    /** What one call reserves. Its identity is that of the call. */
    final class Hold {
        private static final String PROCESS = UUID.randomUUID() + "-";
        private static final AtomicLong IDS = new AtomicLong();

        private final List<Line> lines;
        private final Duration timeout;
        private final boolean forced;
        private final Moment made;
        private @Nullable String id;
        /** What the ledger in memory keeps of it, a line each; written once, under the locks of the accounts. */
        volatile Book.Entry @Nullable [] entries;

        Hold(List<Line> lines, Duration timeout, boolean forced, Moment made) {
            this.lines = lines;
            this.timeout = timeout;
            this.forced = forced;
            this.made = made;
        }

        /** What tells it apart from all others, on all machines: up to 60 letters, digits and dashes. */
        public synchronized String id() {
            // Made when it is wanted: the ledger in memory does without.
            String known = id;
            if (known == null) {
                known = PROCESS + IDS.incrementAndGet();
                id = known;
            }
            return known;
        }

        /** What it asks of each account; at least one line, and no account twice. */
        public List<Line> lines() {
            return lines;
        }

        /** How long it may stay unsettled. */
        public Duration timeout() {
            return timeout;
        }

        /** Whether to book it even if it does not fit. */
        public boolean isForced() {
            return forced;
        }

        /** When it was asked for. */
        public Moment made() {
            return made;
        }

        @Override
        public String toString() {
            return "Hold" + lines;
        }
    }

    /**
     * More for a call that is under way.
     *
     * @param hold what it has reserved
     * @param lines what it is to have reserved in all, in the order of the lines of the hold, and of the same accounts
     */
    record Extension(Hold hold, List<Line> lines, Moment now) {}

    /** What the call of a hold cost, a line each; an immutable value. */
    final class Settlement {
        private final Hold hold;
        private final long revision;
        private final long[] amounts;
        private final Set<Unit> bounded;

        Settlement(Hold hold, long revision, long[] amounts, Set<Unit> bounded) {
            this.hold = hold;
            this.revision = revision;
            this.amounts = amounts;
            this.bounded = bounded;
        }

        /** What it settles. */
        public Hold hold() {
            return hold;
        }

        /** 1 when the call is reported, higher with each correction after it. */
        public long revision() {
            return revision;
        }

        /** What the call cost, 0 or more, in the unit of a line. */
        public long amount(int line) {
            return amounts[line];
        }

        /**
         * Whether every step of the call had a bound in the unit of a line, and all that the call did were such steps. A line that was
         * {@linkplain Line#soft soft} when it was reserved is so no more.
         */
        public boolean isBounded(int line) {
            return bounded.contains(hold.lines().get(line).account().unit());
        }

        @Override
        public String toString() {
            return "Settlement[revision=" + revision + ", amounts=" + Arrays.toString(amounts) + "]";
        }
    }

    /**
     * A change of what is charged.
     *
     * @param line the account, and its limit where no operator has set another; the amount is no hold
     * @param change what to add; negative to take away, the sum stops at zero
     * @param reason why, in an operator's words; null for a cost that was recorded without a permit
     */
    record Adjustment(Line line, long change, @Nullable String reason, Moment now) {}

    /**
     * How an account stands in its present window.
     *
     * @param limit how much may be spent: an operator's limit where one was set
     * @param spent what is charged
     * @param held what is reserved
     * @param peak the most that had been charged in the window before this step, as far as answers have told, so that who is told
     *     that a level was passed is told once
     * @param kind SOFT where calls were admitted in the window that could pass what they held
     * @param resetsAt when the next window begins; null where none does
     */
    record Balance(
            long limit,
            long spent,
            long held,
            long peak,
            BudgetStatus.Kind kind,
            @Nullable Instant resetsAt) {}

    /**
     * What a ledger makes of a hold.
     *
     * @param balances how the accounts stand with it, or without it if it was refused, in the order of the lines
     * @param refusing the line that does not fit, the first of several; -1 if all fit
     * @param kind why that line does not fit; null if all fit
     */
    record Answer(
            List<Balance> balances, int refusing, @Nullable Kind kind) {
        /** All lines fit. */
        public static Answer granted(List<Balance> balances) {
            return new Answer(balances, -1, null);
        }

        /** A line does not fit. */
        public static Answer refused(List<Balance> balances, int line, Kind kind) {
            return new Answer(balances, line, Objects.requireNonNull(kind, "kind"));
        }
    }
}
