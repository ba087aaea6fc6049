package dev.guardedby.circuitbreaker;

import java.io.Serial;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A remote that answers over HTTP, and the client that throws its answers, or returns them. */
final class Replies {
    private static final Duration CAP = Duration.ofMinutes(10);

    private Replies() {}

    /** What a client throws, or one that throws nothing returns. */
    record Reply(int status, Map<String, String> headers, List<String> codes) {
        Reply(int status, String... codes) {
            this(status, Map.of(), List.of(codes));
        }

        Reply retryAfter(String value) {
            return new Reply(status, Map.of("Retry-After", value), codes);
        }

        HttpAnswer answer() {
            return new HttpAnswer(status, name -> Optional.ofNullable(headers.get(name)), codes);
        }
    }

    static final class ClientException extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1;

        private final transient Reply reply;

        ClientException(Reply reply) {
            this.reply = reply;
        }
    }

    static final AnswerReader THROWN =
            outcome -> outcome instanceof ClientException e ? Optional.of(e.reply.answer()) : Optional.empty();

    static final AnswerReader RETURNED = new AnswerReader() {
        @Override
        public Optional<HttpAnswer> read(Object outcome) {
            return outcome instanceof Reply reply ? Optional.of(reply.answer()) : Optional.empty();
        }

        @Override
        public boolean readsResults() {
            return true;
        }
    };

    static CircuitBreaker.Builder breaker(Story story) {
        return story.breaker()
                .failureThreshold(50)
                .maxRecoveryTimeout(CAP)
                .answers(THROWN)
                .answers(RETURNED);
    }

    static ClientException thrown(int status, String... codes) {
        return new ClientException(new Reply(status, codes));
    }

    /** What one failure does: the state, the rule of the transition, and the wait. */
    static String after(CircuitBreaker breaker, Throwable failure) {
        breaker.acquire().failure(failure);
        return told(breaker);
    }

    static String told(CircuitBreaker breaker) {
        return breaker.stats().state()
                + breaker.lastTransition()
                        .map(moved ->
                                " " + moved.cause() + " " + moved.evidence().rule())
                        .orElse("")
                + breaker.timeUntilRetry().map(wait -> " " + wait).orElse("");
    }
}
