package dev.guardedby.circuitbreaker;

import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * One thing done to a breaker, drawn without looking at it, so that a sequence stays one when some are left out.
 *
 * @param kind what
 * @param pick which permit, or which size of step
 * @param detail the exception, amount or mode
 * @param inner what happens inside a call or while a permit is attached
 */
record RandomOperation(Kind kind, int pick, int detail, List<RandomOperation> inner) {
    /** What can be done, and how often it is. */
    enum Kind {
        TRY_ACQUIRE(14),
        ACQUIRE(5),
        SUCCESS(9),
        GOOD_RESULT(2),
        BAD_RESULT(2),
        FAILURE(13),
        IGNORE(2),
        CANCEL(2),
        CLOSE(3),
        CALL(6),
        RUN(3),
        CALL_WITH_PERMIT(4),
        ATTACH(2),
        CAN_EXECUTE(5),
        CHECK_PERMITTED(5),
        RECORD_SUCCESS(3),
        RECORD_FAILURE(4),
        RECORD_COST(3),
        STATE(4),
        TIME_UNTIL_RETRY(3),
        RESET(1),
        FORCE_OPEN(2),
        HOLD_OPEN(1),
        FORCE_CLOSE(1),
        SWITCH_MODE(1),
        RECONFIGURE(2),
        STEP(18);

        final int weight;

        Kind(int weight) {
            this.weight = weight;
        }

        boolean hasInside() {
            return this == CALL || this == RUN || this == CALL_WITH_PERMIT || this == ATTACH;
        }
    }

    /**
     * What a call throws.
     *
     * @param named the class that people are told
     * @param proof whether one is enough
     */
    record Thrown(Throwable exception, Outcome outcome, Class<?> named, boolean proof) {
        private static Thrown failure(Throwable exception) {
            return new Thrown(exception, Outcome.FAILURE, exception.getClass(), false);
        }

        private static Thrown ignored(Throwable exception) {
            return new Thrown(exception, Outcome.IGNORED, exception.getClass(), false);
        }
    }

    private static final List<Thrown> THROWN = List.of(
            Thrown.failure(new IOException("remote")),
            Thrown.failure(new IOException("remote again")),
            Thrown.failure(new AssertionError("remote")),
            Thrown.failure(new CancellationException("by somebody else")),
            new Thrown(
                    new CompletionException(new TimeoutException("remote")),
                    Outcome.FAILURE,
                    TimeoutException.class,
                    false),
            new Thrown(new KeyRevoked(), Outcome.FAILURE, KeyRevoked.class, true),
            Thrown.ignored(new BadRequest()),
            Thrown.ignored(new InterruptedException("caller")),
            Thrown.ignored(refusalOfAnother()));

    /** What a call costs. */
    record Amount(long input, long output, BigDecimal usd) {
        static Amount of(long input, long output, String usd) {
            return new Amount(input, output, new BigDecimal(usd));
        }
    }

    static final List<Mode> MODES = List.of(Mode.values());
    private static final List<Amount> AMOUNTS = List.of(
            Amount.of(10, 5, "0.0183"),
            Amount.of(0, 0, "0"),
            Amount.of(1, 0, "0.0000000001"),
            Amount.of(0, 1, "1E-400"),
            Amount.of(1_000_000_000_000L, 0, "1000000"),
            Amount.of(1_000_000_000_001L, 0, "1"),
            Amount.of(0, 1_000_000_000_001L, "1"),
            Amount.of(1, 1, "1000000.000000001"),
            Amount.of(-1, 1, "1"),
            Amount.of(1, -1, "1"),
            Amount.of(1, 1, "-0.000000001"),
            Amount.of(1, 1, "1E+30"));

    static final class KeyRevoked extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    static final class BadRequest extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static final List<Kind> KINDS = new ArrayList<>();

    static {
        for (Kind kind : Kind.values()) {
            for (int i = 0; i < kind.weight; i++) {
                KINDS.add(kind);
            }
        }
    }

    static List<RandomOperation> sequence(Random random, int length, int depth) {
        List<RandomOperation> operations = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            Kind kind = KINDS.get(random.nextInt(KINDS.size()));
            List<RandomOperation> inner =
                    kind.hasInside() && depth > 0 ? sequence(random, random.nextInt(4), depth - 1) : List.of();
            operations.add(new RandomOperation(kind, random.nextInt(64), random.nextInt(64), inner));
        }
        return operations;
    }

    /** The same call around something else. */
    RandomOperation around(List<RandomOperation> otherInner) {
        return new RandomOperation(kind, pick, detail, otherInner);
    }

    Thrown thrown() {
        return THROWN.get(detail % THROWN.size());
    }

    /** How a call ends; about one in two throws. */
    boolean returns() {
        return pick % 2 == 0;
    }

    /** Whether the result of a call that returns counts as a failure. */
    boolean badResult() {
        return detail % 5 == 0;
    }

    Amount amount() {
        return AMOUNTS.get(detail % AMOUNTS.size());
    }

    Mode mode() {
        return MODES.get(detail % MODES.size());
    }

    @Override
    public String toString() {
        String inside = inner.isEmpty()
                ? ""
                : inner.stream().map(RandomOperation::toString).collect(Collectors.joining("; ", " {", "}"));
        return kind + "(" + pick + ", " + detail + ")" + inside;
    }

    private static CallNotPermittedException refusalOfAnother() {
        CircuitBreaker another = CircuitBreaker.of("another");
        another.holdOpen();
        try {
            throw new AssertionError(another.acquire());
        } catch (CallNotPermittedException refused) {
            return refused;
        }
    }
}
