package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.io.Serial;
import java.time.InstantSource;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** Nothing that goes wrong in the breaker hides what the call threw. */
class CallersExceptionTest {
    private static final InstantSource BROKEN_CLOCK = () -> {
        throw new IllegalStateException("the clock is broken");
    };

    private final CircuitBreaker breaker =
            CircuitBreaker.builder("llm").clock(BROKEN_CLOCK).build();
    private final IOException down = new IOException("down");

    @Test
    void clockThatThrows_leavesTheCallersException_inEveryShapeOfCall() {
        assertThat(catchThrowable(() -> breaker.call(() -> {
                    throw down;
                })))
                .isSameAs(down);
        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw down;
                })))
                .isSameAs(down);
        assertThat(catchThrowable(() -> breaker.call(Cost.ZERO, permit -> {
                    throw down;
                })))
                .isSameAs(down);
        assertThat(breaker.stats().totalFailures()).isEqualTo(3);
    }

    @Test
    void exceptionThatDoesNotTellItsCause_countsAsAnyOther() {
        CircuitBreaker breaker =
                CircuitBreaker.builder("llm").failureThreshold(2).build();
        RuntimeException odd = new CompletionException("odd", null) {
            @Serial
            private static final long serialVersionUID = 1;

            @Override
            public synchronized Throwable getCause() {
                throw new IllegalStateException("no cause");
            }
        };
        for (int i = 0; i < 2; i++) {
            Throwable seen = catchThrowable(() -> breaker.run(() -> {
                throw odd;
            }));
            assertThat(seen == odd).isTrue();
        }

        assertThat(breaker.stats().consecutiveFailures()).isEqualTo(2);
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
    }

    @Test
    void exhaustedStack_leavesTheCallersError() {
        CircuitBreaker whole = CircuitBreaker.of("llm");
        StackOverflowError[] first = new StackOverflowError[1];

        Throwable seen = catchThrowable(() -> nested(whole, first));

        assertThat(seen).isSameAs(first[0]);
    }

    /** Calls itself inside the breaker until the stack is full, and remembers the error that began there. */
    private static int nested(CircuitBreaker breaker, StackOverflowError[] first) {
        try {
            return breaker.call(() -> nested(breaker, first)) + 1;
        } catch (StackOverflowError error) {
            if (first[0] == null) {
                first[0] = error;
            }
            throw error;
        }
    }
}
