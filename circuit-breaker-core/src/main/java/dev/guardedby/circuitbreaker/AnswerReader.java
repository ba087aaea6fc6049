package dev.guardedby.circuitbreaker;

import java.util.Optional;

/**
 * Finds the HTTP answer of a remote in what its client throws, or returns.
 *
 * <p>One reader knows one client. It is asked about the very object that it gets, and never follows causes: the breaker asks
 * it about an exception and each of its causes, because applications wrap what their clients throw. The first answer found is
 * the one that counts, readers in the order in which they were added.
 *
 * <p>It is called by the thread that reports the failure, so it must be fast and must not wait; a body that is still a stream
 * is left alone. What it throws is logged, and the call is judged without it.
 */
@FunctionalInterface
public interface AnswerReader {

    /**
     * The answer inside an object.
     *
     * @param outcome an exception that a call threw, one of its causes, or, if {@link #readsResults()}, a result; never null
     * @return empty if the object is none of this client's, or holds no answer
     */
    Optional<HttpAnswer> read(Object outcome);

    /**
     * Whether it is asked about results, too, for a client that throws nothing for a status such as 429; asked once, when it
     * is added. It costs every call that returns a question.
     */
    default boolean readsResults() {
        return false;
    }
}
