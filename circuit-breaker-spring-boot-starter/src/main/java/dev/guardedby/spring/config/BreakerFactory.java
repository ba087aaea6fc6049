package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.AnswerReader;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.spring.CircuitBreakerCustomizer;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.springframework.beans.factory.ObjectProvider;

/** Sets up a breaker the first time its name is asked for: settings, then beans. */
final class BreakerFactory implements Function<String, CircuitBreaker.Builder> {
    private final ConfiguredBreakers configured;
    private final BreakerBeans own;
    private final ObjectProvider<CircuitBreakerCustomizer> customizers;
    private final ObjectProvider<CircuitBreakerListener> listeners;
    private final ObjectProvider<AnswerReader> answers;
    private final ObjectProvider<LongSupplier> ticker;
    private final ObjectProvider<Ledger> ledger;

    BreakerFactory(
            ConfiguredBreakers configured,
            BreakerBeans own,
            ObjectProvider<CircuitBreakerCustomizer> customizers,
            ObjectProvider<CircuitBreakerListener> listeners,
            ObjectProvider<AnswerReader> answers,
            ObjectProvider<LongSupplier> ticker,
            ObjectProvider<Ledger> ledger) {
        this.configured = configured;
        this.own = own;
        this.customizers = customizers;
        this.listeners = listeners;
        this.answers = answers;
        this.ticker = ticker;
        this.ledger = ledger;
    }

    @Override
    public CircuitBreaker.Builder apply(String name) {
        CircuitBreaker.Builder builder = configured.builder(name, ledger.getObject());
        if (configured.isSwitchedOff()) {
            return builder;
        }
        if (own.join(name)) {
            // The registry keeps what is there, so this builder is for nobody.
            return builder;
        }
        warnOfAnotherSpelling(name);
        ticker.ifAvailable(builder::ticker);
        builder.listener(new BreakerLog(ticker.getIfAvailable(() -> System::nanoTime), configured));
        answers.orderedStream().forEach(builder::answers);
        listeners.orderedStream().forEach(builder::listener);
        List<CircuitBreakerCustomizer> last = customizers.orderedStream().toList();
        last.forEach(customizer -> customizer.customize(name, builder));
        if (!last.isEmpty()) {
            check(name, builder);
        }
        return builder;
    }

    /** Annotations are read in the spelling of their entry; what code asks the registry for is taken as it is. */
    private void warnOfAnotherSpelling(String name) {
        configured
                .writtenName(name)
                .filter(entry -> !entry.equals(name))
                .ifPresent(entry -> BreakerLog.LOG.warn("Code has asked the registry for the circuit breaker '" + name
                        + "' and got one of its own, with the settings of '" + entry
                        + "': in code, case and dashes count. If that one is meant, write '" + entry + "'."));
    }

    /** What was configured was in order; whether it still is. */
    private void check(String name, CircuitBreaker.Builder customized) {
        try {
            customized.build();
        } catch (IllegalArgumentException e) {
            // A name that is none is not the customizers' doing: this throws the same again.
            configured.builder(name, ledger.getObject()).build();
            throw new BadConfigurationException(
                    "Circuit breaker '" + name + "': " + e.getMessage()
                            + "; as configured it is in order, so a CircuitBreakerCustomizer may be the cause",
                    "Correct what the CircuitBreakerCustomizer beans set for '" + name + "'.",
                    null);
        }
    }
}
