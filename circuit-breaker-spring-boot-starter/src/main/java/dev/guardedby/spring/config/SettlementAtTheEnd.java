package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import org.springframework.context.SmartLifecycle;

/**
 * Settles, when the application ends, the calls that are still under way, so that what they hold in a store is not taken for lost.
 *
 * <p>After the web server and the executors have had their time for what was going on, and before what connects to stores goes.
 */
final class SettlementAtTheEnd implements SmartLifecycle {
    /** Executors have half of the highest number, connections to stores 0. */
    private static final int PHASE = 1_000;

    private final CircuitBreakerRegistry registry;
    private volatile boolean running;

    SettlementAtTheEnd(CircuitBreakerRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        registry.all().forEach(CircuitBreaker::settleOpenCalls);
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return PHASE;
    }
}
