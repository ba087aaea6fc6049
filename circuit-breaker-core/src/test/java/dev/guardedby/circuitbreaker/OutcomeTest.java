package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Outcome.FAILURE;
import static dev.guardedby.circuitbreaker.Outcome.IGNORED;
import static dev.guardedby.circuitbreaker.Outcome.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** How an exception counts, by every way it can come in, while CLOSED and in HALF_OPEN alike. */
final class OutcomeTest {
    private static final int MANY = 1_000_000;

    private static Arguments row(
            String rules, UnaryOperator<CircuitBreaker.Builder> set, Throwable thrown, Outcome outcome) {
        return Arguments.of(rules, set, thrown, outcome);
    }

    private static boolean broken(Throwable thrown) {
        throw new IllegalStateException("planned, for " + thrown);
    }

    private static boolean brokenByAnError(Throwable thrown) {
        throw new StackOverflowError("planned, for " + thrown);
    }

    private static Throwable refusal() {
        CircuitBreaker open = CircuitBreaker.of("other");
        open.holdOpen();
        return catchThrowable(open::acquire);
    }

    /** Wrappers that each hold the next, and the last the first. */
    private static Throwable circle(int size) {
        Link first = new Link();
        Link last = first;
        for (int i = 1; i < size; i++) {
            last.next = new Link();
            last = last.next;
        }
        last.next = first;
        return first;
    }

    private static final class Link extends ExecutionException {
        private static final long serialVersionUID = 1;

        private Link next;

        @Override
        public synchronized Throwable getCause() {
            return next;
        }
    }

    static Stream<Arguments> sameEverywhere() {
        UnaryOperator<CircuitBreaker.Builder> none = UnaryOperator.identity();
        UnaryOperator<CircuitBreaker.Builder> ignoreIae = b -> b.ignoreExceptions(IllegalArgumentException.class);
        UnaryOperator<CircuitBreaker.Builder> recordIo = b -> b.recordExceptions(IOException.class);
        UnaryOperator<CircuitBreaker.Builder> recordAll = b -> b.recordExceptions(Throwable.class);
        IllegalArgumentException iae = new IllegalArgumentException();
        IOException io = new IOException();
        return Stream.of(
                row("no rules", none, io, FAILURE),
                row("no rules", none, new IllegalStateException(), FAILURE),
                row("no rules", none, new OutOfMemoryError("planned"), FAILURE),
                row("no rules", none, new Throwable(), FAILURE),
                row("no rules", none, new SocketTimeoutException(), FAILURE),
                row("no rules", none, new CancellationException(), FAILURE),
                row("no rules", none, new CompletionException(null), FAILURE),
                row("no rules", none, circle(1), FAILURE),
                row("no rules", none, circle(2), FAILURE),
                // Ignore rules
                row("ignore IAE", ignoreIae, iae, IGNORED),
                row("ignore IAE", ignoreIae, new NumberFormatException(), IGNORED),
                row("ignore IAE", ignoreIae, new IllegalStateException(), FAILURE),
                row("ignore IAE", ignoreIae, new IllegalStateException(iae), FAILURE),
                row("ignore IAE", ignoreIae, new CompletionException(iae), IGNORED),
                row("ignore IAE", ignoreIae, new ExecutionException(iae), IGNORED),
                row("ignore IAE", ignoreIae, new InvocationTargetException(iae), IGNORED),
                row("ignore IAE", ignoreIae, new UndeclaredThrowableException(iae), IGNORED),
                row(
                        "ignore IAE",
                        ignoreIae,
                        new UndeclaredThrowableException(
                                new InvocationTargetException(new ExecutionException(new CompletionException(iae)))),
                        IGNORED),
                row("ignore IAE", ignoreIae, circle(2), FAILURE),
                row("ignore an Error", b -> b.ignoreExceptions(AssertionError.class), new AssertionError(), IGNORED),
                row(
                        "ignore by predicate",
                        b -> b.ignoreIf(thrown -> "404".equals(thrown.getMessage())),
                        new IOException("404"),
                        IGNORED),
                row(
                        "ignore rules add up",
                        b -> ignoreIae
                                .apply(b.ignoreExceptions(IOException.class))
                                .ignoreIf(thrown -> false),
                        io,
                        IGNORED),
                // Ignore wins over record and trip, over all layers first
                row("record all, ignore IAE", b -> recordAll.apply(ignoreIae.apply(b)), iae, IGNORED),
                row("record all, ignore IAE", b -> ignoreIae.apply(recordAll.apply(b)), iae, IGNORED),
                row(
                        "record the wrapper, ignore inside",
                        b -> ignoreIae.apply(b.recordExceptions(CompletionException.class)),
                        new CompletionException(iae),
                        IGNORED),
                row(
                        "ignore the wrapper, record inside",
                        b -> recordIo.apply(b.ignoreExceptions(ExecutionException.class)),
                        new ExecutionException(io),
                        IGNORED),
                row("trip on all, ignore IAE", b -> ignoreIae.apply(b.tripIf(thrown -> true)), iae, IGNORED),
                // Record rules
                row("record IO", recordIo, io, FAILURE),
                row("record IO", recordIo, new FileNotFoundException(), FAILURE),
                row("record IO", recordIo, iae, SUCCESS),
                row("record IO", recordIo, new IllegalStateException(io), SUCCESS),
                row("record IO", recordIo, new CompletionException(io), FAILURE),
                row("record IO", recordIo, new ExecutionException(new InvocationTargetException(io)), FAILURE),
                row("record IO", recordIo, new ExecutionException(iae), SUCCESS),
                row("record IO", recordIo, new ExecutionException(null), SUCCESS),
                row("record IO", recordIo, circle(1), SUCCESS),
                row("record IO", recordIo, circle(2), SUCCESS),
                row("record IO", recordIo, new StackOverflowError("planned"), FAILURE),
                row("record IO", recordIo, new ExecutionException(new StackOverflowError("planned")), FAILURE),
                row("record the wrapper", b -> b.recordExceptions(ExecutionException.class), iae, SUCCESS),
                row(
                        "record the wrapper",
                        b -> b.recordExceptions(ExecutionException.class),
                        new ExecutionException(iae),
                        FAILURE),
                row(
                        "record rules add up",
                        b -> recordIo.apply(b.recordIf(thrown -> "503".equals(thrown.getMessage()))),
                        new IllegalStateException("503"),
                        FAILURE),
                row("record nothing by predicate", b -> b.recordIf(thrown -> false), io, SUCCESS),
                // Refusals are never failures
                row("no rules", none, refusal(), IGNORED),
                row("record all", recordAll, refusal(), IGNORED),
                row("record all", recordAll, new CompletionException(new ExecutionException(refusal())), IGNORED),
                row("record IO", recordIo, refusal(), IGNORED),
                row("trip on all", b -> b.tripIf(thrown -> true), refusal(), IGNORED),
                row("broken ignore rule", b -> b.ignoreIf(OutcomeTest::broken), refusal(), IGNORED),
                row("broken record rule", b -> b.recordIf(OutcomeTest::broken), refusal(), IGNORED),
                row(
                        "record all",
                        recordAll,
                        new io.github.resilience4j.circuitbreaker.CallNotPermittedException(),
                        IGNORED),
                row(
                        "record all",
                        recordAll,
                        new ExecutionException(new io.github.resilience4j.bulkhead.BulkheadFullException()),
                        IGNORED),
                row(
                        "record all",
                        recordAll,
                        new ExecutionException(new org.springframework.resilience.InvocationRejectedException()),
                        IGNORED),
                row("an executor that is full", none, new RejectedExecutionException(), FAILURE),
                // Rules that throw
                row("broken ignore rule", b -> b.ignoreIf(OutcomeTest::broken), io, FAILURE),
                row("broken record rule", b -> b.recordIf(OutcomeTest::broken), io, FAILURE),
                row("broken trip rule", b -> b.tripIf(OutcomeTest::broken), io, FAILURE),
                row("ignore rule broken by an Error", b -> b.ignoreIf(OutcomeTest::brokenByAnError), io, FAILURE),
                row("record rule broken by an Error", b -> b.recordIf(OutcomeTest::brokenByAnError), io, FAILURE));
    }

    @ParameterizedTest(name = "{0}: {2} is {3}")
    @MethodSource("sameEverywhere")
    void exception_countsTheSameWhicheverWayItComes(
            String rules, UnaryOperator<CircuitBreaker.Builder> set, Throwable thrown, Outcome outcome) {
        CircuitBreaker breaker =
                set.apply(CircuitBreaker.builder("llm").failureThreshold(MANY)).build();
        assertThat(breaker.outcomeOf(thrown)).isEqualTo(outcome);
        assertThat(Story.counts(breaker)).as("asking counts nothing").isEmpty();

        throwEveryWay(breaker, thrown);

        assertThat(outcomes(breaker)).isEqualTo(Collections.nCopies(6, outcome));
    }

    @ParameterizedTest(name = "{0}: {2} is {3}")
    @MethodSource("sameEverywhere")
    void exception_countsTheSameInHalfOpen(
            String rules, UnaryOperator<CircuitBreaker.Builder> set, Throwable thrown, Outcome outcome) {
        Story story = new Story();
        CircuitBreaker breaker = set.apply(story.breaker().probes(1)).build();
        breaker.forceOpen();
        story.time.advance(Story.WAIT);

        breaker.acquire().failure(thrown);

        assertThat(breaker.stats().state())
                .isEqualTo(
                        switch (outcome) {
                            case SUCCESS -> CircuitState.CLOSED;
                            case FAILURE -> CircuitState.OPEN;
                            case IGNORED -> CircuitState.HALF_OPEN;
                        });
        assertThat(outcomes(breaker)).containsExactly(outcome);
    }

    private static void throwEveryWay(CircuitBreaker breaker, Throwable thrown) {
        throwInTheCallersThread(breaker, thrown);
        failStages(breaker, thrown);
    }

    private static void throwInTheCallersThread(CircuitBreaker breaker, Throwable thrown) {
        assertThat(catchThrowable(() -> breaker.call(() -> {
                    throw thrown;
                })))
                .isSameAs(thrown);
        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw thrown;
                })))
                .isSameAs(thrown);
        assertThat(catchThrowable(() -> breaker.call(Cost.ZERO, permit -> {
                    throw thrown;
                })))
                .isSameAs(thrown);
        breaker.acquire().failure(thrown);
    }

    private static void failStages(CircuitBreaker breaker, Throwable thrown) {
        assertThat(breaker.callAsync(() -> CompletableFuture.failedFuture(thrown)))
                .isCompletedExceptionally();
        CompletableFuture<Object> stage = new CompletableFuture<>();
        CompletableFuture<Object> future = breaker.callAsync(Cost.ZERO, permit -> stage);
        stage.completeExceptionally(thrown);
        assertThat(future).isCompletedExceptionally();
    }

    private static List<Outcome> outcomes(CircuitBreaker breaker) {
        CircuitBreakerStats stats = breaker.stats();
        return Stream.of(
                        Collections.nCopies((int) stats.totalSuccesses(), SUCCESS),
                        Collections.nCopies((int) stats.totalFailures(), FAILURE),
                        Collections.nCopies((int) stats.totalIgnored(), IGNORED))
                .flatMap(List::stream)
                .toList();
    }

    private static final class RetriedTooOften extends InterruptedIOException {
        private static final long serialVersionUID = 1;
    }

    static Stream<Arguments> cancellations() {
        // thrown, in the caller's thread, the same with the thread's interrupt flag set
        return Stream.of(
                Arguments.of(new InterruptedException(), IGNORED, IGNORED),
                Arguments.of(new ClosedByInterruptException(), IGNORED, IGNORED),
                Arguments.of(new InterruptedIOException(), IGNORED, IGNORED),
                Arguments.of(new ExecutionException(new InterruptedException()), IGNORED, IGNORED),
                Arguments.of(new UndeclaredThrowableException(new InterruptedIOException()), IGNORED, IGNORED),
                Arguments.of(new CancellationException(), FAILURE, IGNORED),
                Arguments.of(new CompletionException(new CancellationException()), FAILURE, IGNORED),
                Arguments.of(new SocketTimeoutException(), FAILURE, FAILURE),
                Arguments.of(new RetriedTooOften(), FAILURE, FAILURE),
                Arguments.of(new IllegalStateException(new InterruptedException()), FAILURE, FAILURE));
    }

    @ParameterizedTest(name = "{0} is {1}, with the flag {2}")
    @MethodSource("cancellations")
    void ownCancellation_isIgnoredInTheCallersThread_andTheInterruptFlagIsNotTouched(
            Throwable thrown, Outcome unflagged, Outcome flagged) {
        for (boolean recordingAll : new boolean[] {false, true}) {
            CircuitBreaker breaker = breaker(recordingAll);
            throwInTheCallersThread(breaker, thrown);
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            assertThat(outcomes(breaker)).isEqualTo(Collections.nCopies(4, unflagged));

            CircuitBreaker second = breaker(recordingAll);
            Thread.currentThread().interrupt();
            try {
                throwInTheCallersThread(second, thrown);
            } finally {
                assertThat(Thread.interrupted()).as("the flag").isTrue();
            }
            assertThat(outcomes(second)).isEqualTo(Collections.nCopies(4, flagged));
        }
    }

    private static CircuitBreaker breaker(boolean recordingAll) {
        CircuitBreaker.Builder builder = CircuitBreaker.builder("llm").failureThreshold(MANY);
        return (recordingAll ? builder.recordExceptions(Throwable.class) : builder).build();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cancellations")
    void cancellationOfTheStage_isTheRemotesFailure_whateverTheFlag(
            Throwable thrown, Outcome unflagged, Outcome flagged) {
        CircuitBreaker breaker = breaker(false);
        assertThat(breaker.outcomeOfStage(thrown)).isEqualTo(FAILURE);
        assertThat(breaker.outcomeOf(thrown)).isEqualTo(unflagged);
        assertThat(Story.counts(breaker)).as("asking counts nothing").isEmpty();
        failStages(breaker, thrown);
        Thread.currentThread().interrupt();
        try {
            assertThat(breaker.outcomeOfStage(thrown)).isEqualTo(FAILURE);
            assertThat(breaker.outcomeOf(thrown)).isEqualTo(flagged);
            failStages(breaker, thrown);
        } finally {
            assertThat(Thread.interrupted()).as("the flag").isTrue();
        }

        assertThat(outcomes(breaker)).isEqualTo(Collections.nCopies(4, FAILURE));
    }

    @Test
    void tripRule_isAskedAboutEveryLayer() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .tripExceptions(FileNotFoundException.class)
                .build();

        breaker.acquire().failure(new ExecutionException(new FileNotFoundException()));

        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
    }

    @Test
    void brokenTripRule_isNoProof() {
        CircuitBreaker breaker =
                CircuitBreaker.builder("llm").tripIf(OutcomeTest::broken).build();

        Story.fail(breaker, 4);
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        Story.fail(breaker, 1);
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
    }

    @Test
    void errorIsRecorded_evenWhereOnlyAnIgnoreRuleForExceptionsStands() {
        CircuitBreaker breaker =
                CircuitBreaker.builder("llm").ignoreExceptions(Exception.class).build();

        assertThat(breaker.outcomeOf(new LinkageError())).isEqualTo(FAILURE);
        assertThat(breaker.outcomeOf(new Exception())).isEqualTo(IGNORED);
    }
}
