package dev.guardedby.circuitbreaker;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a guarded call gives back, and what that counts as.
 *
 * @param inCallersThread how it counts where the caller waits for it
 * @param elsewhere how it counts where a stage brings it
 * @param isProof whether one such failure trips
 * @param isInterrupted whether the caller's thread is interrupted meanwhile
 * @param rules what the breaker has to be told
 * @param end what ends the period while the call runs
 */
record Answer(
        String name,
        @Nullable Object result,
        @Nullable Throwable thrown,
        Outcome inCallersThread,
        Outcome elsewhere,
        boolean isProof,
        boolean isInterrupted,
        UnaryOperator<CircuitBreaker.Builder> rules,
        End end) {
    /** What ends a period while a call runs. */
    enum End {
        NOTHING,
        A_TRIP,
        A_RESET,
        BEING_HELD_OPEN
    }

    static final class BadRequest extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    static final class KeyRevoked extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    static final Answer SUCCESS = returned("a result", new Object(), Outcome.SUCCESS);
    static final Answer FAILURE = thrown("an exception", new IOException("down"), Outcome.FAILURE);
    static final Answer IGNORED = thrown("an exception that is ignored", new BadRequest(), Outcome.IGNORED)
            .by(breaker -> breaker.ignoreExceptions(BadRequest.class));
    static final Answer PROOF = thrown("an exception that trips", new KeyRevoked(), Outcome.FAILURE)
            .asProof()
            .by(breaker -> breaker.tripIf(KeyRevoked.class::isInstance));

    /** Every way a call can come to an end by itself. */
    static List<Answer> all() {
        List<Answer> all = new ArrayList<>(List.of(
                SUCCESS,
                FAILURE,
                IGNORED,
                PROOF,
                returned("no result", null, Outcome.SUCCESS),
                returned("a result that fails", "error", Outcome.FAILURE).by(b -> b.failOnResult("error"::equals)),
                returned("no result, which fails", null, Outcome.FAILURE)
                        .by(b -> b.failOnResult(result -> result == null)),
                returned("a result, judged by a broken rule", new Object(), Outcome.FAILURE)
                        .by(b -> b.failOnResult(Answer::broken)),
                returned("a result, judged by an exhausted rule", new Object(), Outcome.FAILURE)
                        .by(b -> b.failOnResult(Answer::exhausted)),
                thrown("an exception that is not recorded", new ArithmeticException(), Outcome.SUCCESS)
                        .by(b -> b.recordExceptions(IOException.class)),
                thrown("an exception that is recorded", new IOException("down"), Outcome.FAILURE)
                        .by(b -> b.recordExceptions(IOException.class)),
                thrown("an exception that is recorded and ignored", new IOException("down"), Outcome.IGNORED)
                        .by(b -> b.recordExceptions(IOException.class).ignoreExceptions(IOException.class)),
                thrown("an exception that trips and is ignored", new KeyRevoked(), Outcome.IGNORED)
                        .by(b -> b.tripIf(thrown -> true).ignoreExceptions(KeyRevoked.class)),
                thrown("an exception, judged by a broken record rule", new IOException("down"), Outcome.FAILURE)
                        .by(b -> b.recordIf(Answer::broken)),
                thrown("an exception, judged by a broken ignore rule", new IOException("down"), Outcome.FAILURE)
                        .by(b -> b.ignoreIf(Answer::broken)),
                thrown("an exception, judged by a broken trip rule", new IOException("down"), Outcome.FAILURE)
                        .by(b -> b.tripIf(Answer::broken)),
                thrown("an exception, judged by an exhausted rule", new IOException("down"), Outcome.FAILURE)
                        .by(b -> b.ignoreIf(Answer::exhausted)),
                thrown("an exception with a broken hint", new IOException("down"), Outcome.FAILURE)
                        .by(b -> b.retryAfter(failure -> {
                            throw new IllegalStateException("planned");
                        })),
                thrown("a checked exception nobody declares", new Exception("sneaky"), Outcome.FAILURE),
                thrown("an Error", new AssertionError("planned"), Outcome.FAILURE),
                thrown("a StackOverflowError", new StackOverflowError("planned"), Outcome.FAILURE),
                thrown("an Error that no record rule matches", new LinkageError("planned"), Outcome.FAILURE)
                        .by(b -> b.recordExceptions(IOException.class)),
                thrown("an Error that is ignored", new OutOfMemoryError("planned"), Outcome.IGNORED)
                        .by(b -> b.ignoreExceptions(OutOfMemoryError.class)),
                thrown("an interruption", new InterruptedException(), Outcome.IGNORED)
                        .elsewhere(Outcome.FAILURE),
                thrown("an interrupted read", new InterruptedIOException(), Outcome.IGNORED)
                        .elsewhere(Outcome.FAILURE),
                thrown("a cancellation", new CancellationException(), Outcome.FAILURE),
                thrown("a cancellation under the interrupt flag", new CancellationException(), Outcome.IGNORED)
                        .elsewhere(Outcome.FAILURE)
                        .whileInterrupted(),
                thrown("an exception under the interrupt flag", new IOException("down"), Outcome.FAILURE)
                        .whileInterrupted(),
                thrown("a refusal of another breaker", refusalOf("another"), Outcome.IGNORED),
                thrown("a refusal of this breaker", refusalOf(Trial.NAME), Outcome.IGNORED),
                thrown("a wrapped refusal", wrapped(refusalOf("another")), Outcome.IGNORED)));
        for (End end : List.of(End.A_TRIP, End.A_RESET, End.BEING_HELD_OPEN)) {
            for (Answer answer : List.of(SUCCESS, FAILURE, IGNORED, PROOF)) {
                all.add(answer.after(end));
            }
        }
        return all;
    }

    /** A result that comes in time, and those that come after the period has ended. */
    static List<Answer> successes() {
        return List.of(
                SUCCESS, SUCCESS.after(End.A_TRIP), SUCCESS.after(End.A_RESET), SUCCESS.after(End.BEING_HELD_OPEN));
    }

    private static Answer returned(String name, @Nullable Object result, Outcome outcome) {
        return new Answer(name, result, null, outcome, outcome, false, false, UnaryOperator.identity(), End.NOTHING);
    }

    private static Answer thrown(String name, Throwable thrown, Outcome outcome) {
        return new Answer(name, null, thrown, outcome, outcome, false, false, UnaryOperator.identity(), End.NOTHING);
    }

    private Answer elsewhere(Outcome other) {
        return new Answer(name, result, thrown, inCallersThread, other, isProof, isInterrupted, rules, end);
    }

    private Answer asProof() {
        return new Answer(name, result, thrown, inCallersThread, elsewhere, true, isInterrupted, rules, end);
    }

    private Answer whileInterrupted() {
        return new Answer(name, result, thrown, inCallersThread, elsewhere, isProof, true, rules, end);
    }

    private Answer by(UnaryOperator<CircuitBreaker.Builder> rule) {
        return new Answer(name, result, thrown, inCallersThread, elsewhere, isProof, isInterrupted, rule, end);
    }

    private Answer after(End other) {
        String late = name + " after " + other.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        return new Answer(late, result, thrown, inCallersThread, elsewhere, isProof, isInterrupted, rules, other);
    }

    private static boolean broken(@Nullable Object tested) {
        throw new IllegalStateException("planned, about " + tested);
    }

    private static boolean exhausted(@Nullable Object tested) {
        throw new StackOverflowError("planned, about " + tested);
    }

    private static Throwable wrapped(Throwable cause) {
        // A stage's own wrapper would be taken off on the way to the caller.
        return new UndeclaredThrowableException(new CompletionException(cause));
    }

    private static CallNotPermittedException refusalOf(String name) {
        CircuitBreaker refusing = CircuitBreaker.of(name);
        refusing.holdOpen();
        try {
            throw new AssertionError(refusing.acquire());
        } catch (CallNotPermittedException refused) {
            return refused;
        }
    }
}
