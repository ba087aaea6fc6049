package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Refusal;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Shows breakers beside the application's health.
 *
 * <p>It stays UP while breakers are open: the outage of a remote is no reason to take this application out of service, and
 * one that gets no calls would never find out that the remote is back. For the same reason a breaker whose wait is over
 * does not count as open where DOWN was asked for. Nor does a key: the outage of one tenant's remote is shown, and leaves
 * the application to all others.
 */
final class GuardedByHealthIndicator implements HealthIndicator {
    private final CircuitBreakerRegistry registry;
    private final boolean downWhenOpen;

    GuardedByHealthIndicator(CircuitBreakerRegistry registry, boolean downWhenOpen) {
        this.registry = registry;
        this.downWhenOpen = downWhenOpen;
    }

    @Override
    public Health health() {
        Health.Builder health = Health.up();
        for (CircuitBreaker breaker : registry.all()) {
            Snapshot seen = Snapshot.of(breaker);
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("state", seen.stats().state().name());
            details.put("admitting", seen.refusal().isEmpty());
            details.put("message", seen.message());
            breaker.keys().map(KeyStates::of).ifPresent(keys -> details.put("keys", keys(keys)));
            health.withDetail(breaker.name(), details);
            if (downWhenOpen
                    && seen.refusal().filter(GuardedByHealthIndicator::isOpen).isPresent()) {
                health.down();
            }
        }
        return health.build();
    }

    private static Map<String, Object> keys(KeyStates keys) {
        Map<String, Object> details = keys.counts();
        details.put("worst", keys.worst().name());
        return details;
    }

    private static boolean isOpen(Refusal refusal) {
        return refusal.reason() == Refusal.Reason.OPEN || refusal.reason() == Refusal.Reason.HELD_OPEN;
    }
}
