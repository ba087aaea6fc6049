package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class ScopeLeakTest {
    @Test
    void scopesClosedByAnotherThread_holdNothingOnceTheThreadAttachesAgain() throws Exception {
        CircuitBreaker breaker = CircuitBreaker.of("llm");
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            WeakReference<Permit> first = attachedHereAndClosedThere(breaker, other);
            attachedHereAndClosedThere(breaker, other);

            for (int collections = 0; collections < 50 && first.get() != null; collections++) {
                System.gc();
            }
            assertThat(first.get()).isNull();
        } finally {
            other.shutdown();
        }
    }

    private static WeakReference<Permit> attachedHereAndClosedThere(CircuitBreaker breaker, ExecutorService other)
            throws ExecutionException, InterruptedException {
        Permit permit = breaker.acquire();
        Scope scope = permit.attach();
        other.submit(scope::close).get();
        return new WeakReference<>(permit);
    }
}
