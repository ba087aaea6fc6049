package dev.guardedby.circuitbreaker;

import java.io.InterruptedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Judges how a call ended.
 *
 * <p>An exception is judged with everything it wraps, layer by layer, and a rule holds if it holds for one layer. What can
 * never be the remote's fault comes first (a refusal further in, the caller's own cancellation), so that no broken rule
 * makes a failure of it; then ignore rules, then trip rules, then what the remote's answer proves, then record rules. Where
 * there are record rules, what none of them matches is an answer of the remote, as in MicroProfile Fault Tolerance and
 * Resilience4j.
 */
final class OutcomeRules {
    /**
     * An {@link Outcome}, with the failure that is proof by itself told apart, and what the remote asked for.
     *
     * <p>Successes and what is ignored are one object each; a failure is one of its own where the remote said something.
     */
    static final class Verdict {
        static final Verdict SUCCESS = new Verdict(Outcome.SUCCESS, null, null);
        static final Verdict FAILURE = new Verdict(Outcome.FAILURE, null, null);
        static final Verdict IGNORED = new Verdict(Outcome.IGNORED, null, null);

        final Outcome outcome;
        /** What makes it proof, in words; null if it is none. */
        final @Nullable String proof;

        final @Nullable RetryAfter retryAfter;

        private Verdict(Outcome outcome, @Nullable String proof, @Nullable RetryAfter retryAfter) {
            this.outcome = outcome;
            this.proof = proof;
            this.retryAfter = retryAfter;
        }

        private static Verdict failure(@Nullable Said said) {
            return said == null || said.retryAfter == null
                    ? FAILURE
                    : new Verdict(Outcome.FAILURE, null, said.retryAfter);
        }

        private static Verdict trip(String proof, @Nullable Said said) {
            return new Verdict(Outcome.FAILURE, proof, said == null ? null : said.retryAfter);
        }

        boolean isFailure() {
            return outcome == Outcome.FAILURE;
        }
    }

    /** What an answer comes down to. */
    private record Said(
            @Nullable RetryAfter retryAfter, @Nullable Proof proof) {}

    /** Every exception is a failure, every result a success. */
    static final OutcomeRules DEFAULT =
            new OutcomeRules(List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), Set.of(Proof.values()));

    // Wrappers can be chained in a circle; nobody nests this many of them on purpose.
    private static final int DEEPEST_LAYER = 32;
    // Refusals of libraries that we do not depend on, known by name.
    private static final Set<String> FOREIGN_REFUSALS = Set.of(
            "io.github.resilience4j.circuitbreaker.CallNotPermittedException",
            "io.github.resilience4j.bulkhead.BulkheadFullException",
            "io.github.resilience4j.ratelimiter.RequestNotPermitted",
            "org.springframework.resilience.InvocationRejectedException");

    private final List<Predicate<? super Throwable>> ignore;
    private final List<Predicate<? super Throwable>> trip;
    private final List<Predicate<? super Throwable>> record;
    private final List<Predicate<@Nullable Object>> failOnResult;
    private final List<AnswerReader> readers;
    /** Those of the readers that are asked about results, too. */
    private final List<AnswerReader> resultReaders;

    private final Set<Proof> tripOn;
    private final boolean judgesResults;

    private OutcomeRules(
            List<Predicate<? super Throwable>> ignore,
            List<Predicate<? super Throwable>> trip,
            List<Predicate<? super Throwable>> record,
            List<Predicate<@Nullable Object>> failOnResult,
            List<AnswerReader> readers,
            List<AnswerReader> resultReaders,
            Set<Proof> tripOn) {
        this.ignore = ignore;
        this.trip = trip;
        this.record = record;
        this.failOnResult = failOnResult;
        this.readers = readers;
        this.resultReaders = resultReaders;
        this.tripOn = tripOn;
        // What a result says matters only where it can be a failure.
        this.judgesResults = !failOnResult.isEmpty() || !(resultReaders.isEmpty() || tripOn.isEmpty());
    }

    OutcomeRules ignoring(Predicate<? super Throwable> rule) {
        return new OutcomeRules(with(ignore, rule), trip, record, failOnResult, readers, resultReaders, tripOn);
    }

    OutcomeRules trippingOn(Predicate<? super Throwable> rule) {
        return new OutcomeRules(ignore, with(trip, rule), record, failOnResult, readers, resultReaders, tripOn);
    }

    OutcomeRules trippingOn(Set<Proof> proofs) {
        return new OutcomeRules(ignore, trip, record, failOnResult, readers, resultReaders, proofs);
    }

    OutcomeRules recording(Predicate<? super Throwable> rule) {
        return new OutcomeRules(ignore, trip, with(record, rule), failOnResult, readers, resultReaders, tripOn);
    }

    OutcomeRules failingOn(Predicate<@Nullable Object> rule) {
        return new OutcomeRules(ignore, trip, record, with(failOnResult, rule), readers, resultReaders, tripOn);
    }

    OutcomeRules reading(AnswerReader reader) {
        List<AnswerReader> ofResults = reader.readsResults() ? with(resultReaders, reader) : resultReaders;
        return new OutcomeRules(ignore, trip, record, failOnResult, with(readers, reader), ofResults, tripOn);
    }

    /** A rule that holds for the given types and their subclasses. */
    static Predicate<Throwable> anyOf(Class<?>[] types) {
        List<Class<?>> wanted = List.of(types);
        return thrown -> {
            for (Class<?> type : wanted) {
                if (type.isInstance(thrown)) {
                    return true;
                }
            }
            return false;
        };
    }

    /** Whether {@link #judgeResult} may answer anything but a success. */
    boolean judgesResults() {
        return judgesResults;
    }

    /** Judges a call that returned. */
    Verdict judgeResult(@Nullable Object result) {
        if (!judgesResults) {
            return Verdict.SUCCESS;
        }
        Said said = result == null ? null : read(resultReaders, result);
        if (said != null && said.proof != null) {
            return Verdict.trip(said.proof.rule(), said);
        }
        try {
            for (Predicate<@Nullable Object> rule : failOnResult) {
                if (rule.test(result)) {
                    return Verdict.failure(said);
                }
            }
            return Verdict.SUCCESS;
        } catch (Throwable broken) {
            return failureOf("result", broken, said);
        }
    }

    /** Judges a call that threw in the thread of its caller. */
    Verdict judge(Throwable thrown) {
        return judge(thrown, true);
    }

    /** Judges a call that ended in another thread, where an interruption or cancellation is not its caller's. */
    Verdict judgeAsync(Throwable thrown) {
        return judge(thrown, false);
    }

    private Verdict judge(Throwable thrown, boolean inCallersThread) {
        Said said = null;
        try {
            List<Throwable> layers = layers(thrown);
            boolean error = false;
            for (Throwable layer : layers) {
                if (isRefusal(layer) || (inCallersThread && isOwnCancellation(layer))) {
                    return Verdict.IGNORED;
                }
                error |= layer instanceof Error;
            }
            if (holdsForOne(ignore, layers)) {
                return Verdict.IGNORED;
            }
            said = said(thrown);
            if (holdsForOne(trip, layers)) {
                return Verdict.trip("trip-if", said);
            }
            if (said != null && said.proof != null) {
                return Verdict.trip(said.proof.rule(), said);
            }
            return error || record.isEmpty() || holdsForOne(record, layers) ? Verdict.failure(said) : Verdict.SUCCESS;
        } catch (Throwable broken) {
            return failureOf("exception", broken, said);
        }
    }

    /**
     * What the remote said in an exception or, for applications wrap what their clients throw, in one of its causes; null if
     * no reader finds an answer.
     */
    private @Nullable Said said(Throwable thrown) {
        if (readers.isEmpty()) {
            return null;
        }
        Throwable cause = thrown;
        for (int depth = 0; cause != null && depth < DEEPEST_LAYER; depth++) {
            Said said = read(readers, cause);
            if (said != null) {
                return said;
            }
            cause = cause(cause);
        }
        return null;
    }

    /** The cause of an exception; null, too, if that is of a kind that does not tell it. */
    static @Nullable Throwable cause(Throwable thrown) {
        try {
            return thrown.getCause();
        } catch (Throwable broken) {
            return null;
        }
    }

    private @Nullable Said read(List<AnswerReader> asked, Object outcome) {
        for (AnswerReader reader : asked) {
            try {
                Optional<HttpAnswer> answer = reader.read(outcome);
                if (answer.isPresent()) {
                    RetryAfter retryAfter = RetryAfter.in(answer.get());
                    return new Said(retryAfter, Proof.in(answer.get(), retryAfter, tripOn));
                }
            } catch (Throwable broken) {
                Deliveries.warn(
                        "The answer reader " + reader.getClass().getName() + " threw; the call is judged without it",
                        broken);
            }
        }
        return null;
    }

    /** What is inside the wrappers: the exception to name to people. */
    static Throwable innermost(Throwable thrown) {
        List<Throwable> layers = layers(thrown);
        return layers.get(layers.size() - 1);
    }

    static List<Throwable> layers(Throwable thrown) {
        Throwable cause = isWrapper(thrown) ? cause(thrown) : null;
        if (cause == null) {
            return List.of(thrown);
        }
        List<Throwable> layers = new ArrayList<>(4);
        layers.add(thrown);
        while (cause != null && layers.size() < DEEPEST_LAYER) {
            layers.add(cause);
            cause = isWrapper(cause) ? cause(cause) : null;
        }
        return layers;
    }

    private static boolean isWrapper(Throwable layer) {
        return layer instanceof CompletionException
                || layer instanceof ExecutionException
                || layer instanceof InvocationTargetException
                || layer instanceof UndeclaredThrowableException;
    }

    private static boolean isRefusal(Throwable layer) {
        if (layer instanceof CallNotPermittedException) {
            return true;
        }
        for (Class<?> type = layer.getClass(); type != Throwable.class; type = type.getSuperclass()) {
            if (FOREIGN_REFUSALS.contains(type.getName())) {
                return true;
            }
        }
        return false;
    }

    // InterruptedIOException exactly: its subclass SocketTimeoutException is the remote's doing. The flag is only
    // looked at.
    private static boolean isOwnCancellation(Throwable layer) {
        return layer instanceof InterruptedException
                || layer instanceof ClosedByInterruptException
                || layer.getClass() == InterruptedIOException.class
                || (layer instanceof CancellationException
                        && Thread.currentThread().isInterrupted());
    }

    /** Whether a call ended in the thread of its caller because that gave it up, and not because it was refused further in. */
    static boolean isGivenUp(Throwable thrown) {
        boolean cancelled = false;
        for (Throwable layer : layers(thrown)) {
            if (isRefusal(layer)) {
                return false;
            }
            cancelled |= isOwnCancellation(layer);
        }
        return cancelled;
    }

    private static boolean holdsForOne(List<Predicate<? super Throwable>> rules, List<Throwable> layers) {
        for (Predicate<? super Throwable> rule : rules) {
            for (Throwable layer : layers) {
                if (rule.test(layer)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static Verdict failureOf(String kind, Throwable broken, @Nullable Said said) {
        Deliveries.warn("A rule on the " + kind + " of a call threw; the call counts as a failure", broken);
        return Verdict.failure(said);
    }

    /** The list with one more at its end. */
    static <E> List<E> with(List<E> rules, E rule) {
        List<E> more = new ArrayList<>(rules);
        more.add(rule);
        return List.copyOf(more);
    }
}
