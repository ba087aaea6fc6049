package dev.guardedby.circuitbreaker;

import java.io.InterruptedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.List;
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
 * makes a failure of it; then ignore rules, then trip rules, then record rules. Where there are record rules, what none of
 * them matches is an answer of the remote, as in MicroProfile Fault Tolerance and Resilience4j.
 */
final class OutcomeRules {
    /** An {@link Outcome}, with the failure that is proof by itself told apart. */
    enum Verdict {
        SUCCESS(Outcome.SUCCESS),
        FAILURE(Outcome.FAILURE),
        TRIP(Outcome.FAILURE),
        IGNORED(Outcome.IGNORED);

        final Outcome outcome;

        Verdict(Outcome outcome) {
            this.outcome = outcome;
        }

        boolean isFailure() {
            return outcome == Outcome.FAILURE;
        }
    }

    /** Every exception is a failure, every result a success. */
    static final OutcomeRules DEFAULT = new OutcomeRules(List.of(), List.of(), List.of(), List.of());

    // Wrappers can be chained in a circle; nobody nests this many of them on purpose.
    private static final int DEEPEST_LAYER = 32;
    // Refusals of libraries that we do not depend on, known by name.
    private static final Set<String> FOREIGN_REFUSALS = Set.of(
            "io.github.resilience4j.circuitbreaker.CallNotPermittedException",
            "io.github.resilience4j.bulkhead.BulkheadFullException",
            "io.github.resilience4j.ratelimiter.RequestNotPermitted");

    private final List<Predicate<? super Throwable>> ignore;
    private final List<Predicate<? super Throwable>> trip;
    private final List<Predicate<? super Throwable>> record;
    private final List<Predicate<@Nullable Object>> failOnResult;

    private OutcomeRules(
            List<Predicate<? super Throwable>> ignore,
            List<Predicate<? super Throwable>> trip,
            List<Predicate<? super Throwable>> record,
            List<Predicate<@Nullable Object>> failOnResult) {
        this.ignore = ignore;
        this.trip = trip;
        this.record = record;
        this.failOnResult = failOnResult;
    }

    OutcomeRules ignoring(Predicate<? super Throwable> rule) {
        return new OutcomeRules(with(ignore, rule), trip, record, failOnResult);
    }

    OutcomeRules trippingOn(Predicate<? super Throwable> rule) {
        return new OutcomeRules(ignore, with(trip, rule), record, failOnResult);
    }

    OutcomeRules recording(Predicate<? super Throwable> rule) {
        return new OutcomeRules(ignore, trip, with(record, rule), failOnResult);
    }

    OutcomeRules failingOn(Predicate<@Nullable Object> rule) {
        return new OutcomeRules(ignore, trip, record, with(failOnResult, rule));
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
        return !failOnResult.isEmpty();
    }

    /** Judges a call that returned. */
    Verdict judgeResult(@Nullable Object result) {
        if (failOnResult.isEmpty()) {
            return Verdict.SUCCESS;
        }
        try {
            for (Predicate<@Nullable Object> rule : failOnResult) {
                if (rule.test(result)) {
                    return Verdict.FAILURE;
                }
            }
            return Verdict.SUCCESS;
        } catch (Throwable broken) {
            return failureOf("result", broken);
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
            if (holdsForOne(trip, layers)) {
                return Verdict.TRIP;
            }
            return error || record.isEmpty() || holdsForOne(record, layers) ? Verdict.FAILURE : Verdict.SUCCESS;
        } catch (Throwable broken) {
            return failureOf("exception", broken);
        }
    }

    /** What is inside the wrappers: the exception to name to people. */
    static Throwable innermost(Throwable thrown) {
        List<Throwable> layers = layers(thrown);
        return layers.get(layers.size() - 1);
    }

    static List<Throwable> layers(Throwable thrown) {
        Throwable cause = isWrapper(thrown) ? thrown.getCause() : null;
        if (cause == null) {
            return List.of(thrown);
        }
        List<Throwable> layers = new ArrayList<>(4);
        layers.add(thrown);
        while (cause != null && layers.size() < DEEPEST_LAYER) {
            layers.add(cause);
            cause = isWrapper(cause) ? cause.getCause() : null;
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

    private static Verdict failureOf(String kind, Throwable broken) {
        Deliveries.warn("A rule on the " + kind + " of a call threw; the call counts as a failure", broken);
        return Verdict.FAILURE;
    }

    private static <E> List<E> with(List<E> rules, E rule) {
        List<E> more = new ArrayList<>(rules);
        more.add(rule);
        return List.copyOf(more);
    }
}
