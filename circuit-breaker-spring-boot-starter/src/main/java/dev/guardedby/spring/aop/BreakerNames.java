package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.ConfiguredBreakers.UnknownName;
import java.lang.reflect.Method;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;
import org.springframework.util.function.SingletonSupplier;

/**
 * The breaker names that annotations use, and the rule about those without an entry under {@code guardedby.breakers}.
 *
 * <p>Whether a name is a misspelling depends on what everybody else uses. So the names of singletons are judged together, once
 * they are all there, and those that come later each on its own.
 */
final class BreakerNames {
    private static final Log LOG = LogFactory.getLog(BreakerNames.class);

    /** A name as an annotation writes it, and the first that does. */
    private record Spelled(String name, Declaration declaration) {}

    private final Declarations declarations;
    private final ObjectProvider<CircuitBreakerRegistry> registry;
    // Not asked of the container for each method: there it is a search by type.
    private final SingletonSupplier<ConfiguredBreakers> configuration;
    private final ConfigurableListableBeanFactory beans;
    // By the name without case and dashes.
    private final Map<String, Spelled> spellings = new ConcurrentHashMap<>();
    private final Set<String> used = ConcurrentHashMap.newKeySet();
    private final Map<String, Declaration> toJudge = new ConcurrentHashMap<>();
    private volatile boolean started;

    BreakerNames(
            Declarations declarations,
            ObjectProvider<CircuitBreakerRegistry> registry,
            ObjectProvider<ConfiguredBreakers> configuration,
            ConfigurableListableBeanFactory beans) {
        this.declarations = declarations;
        this.registry = registry;
        this.configuration = SingletonSupplier.ofNullable(configuration::getIfAvailable);
        this.beans = beans;
    }

    /**
     * The breaker that a declaration asks for, made now if there is none.
     *
     * @throws InvalidGuardException if it has no name, one that no breaker can have, one that is not allowed, or
     *     one that is written differently elsewhere
     */
    CircuitBreaker breaker(Declaration declaration) {
        String name = nameFor(declaration);
        CircuitBreakerRegistry breakers = registry.getObject();
        Optional<CircuitBreaker> present = breakers.find(name);
        if (present.isPresent()) {
            used.add(name);
            return present.get();
        }
        if (started && !isConfigured(name)) {
            judge(name, declaration);
        }
        CircuitBreaker made;
        try {
            made = breakers.get(name);
        } catch (IllegalArgumentException e) {
            throw new InvalidGuardException(
                    declaration + " on " + declaration.where() + " asks for a circuit breaker that cannot be built: "
                            + e.getMessage(),
                    "Correct the name, or the settings of '" + name + "'",
                    e);
        }
        used.add(name);
        if (!started && !isConfigured(name)) {
            toJudge.put(name, declaration);
        }
        return made;
    }

    /** Judges the names of all singletons; to be called before the configured breakers are made. */
    void judge() {
        // What code has asked the registry for is used, too.
        registry.ifAvailable(breakers -> breakers.all().forEach(breaker -> used.add(breaker.name())));
        started = true;
        toJudge.forEach(this::judge);
        toJudge.clear();
    }

    private void judge(String name, Declaration declaration) {
        ConfiguredBreakers configured = configuration.get();
        if (configured == null || configured.unknownName() == UnknownName.ALLOW) {
            return;
        }
        String meant = misspelt(name, configured);
        String what = guardedBy(declaration, name) + ", which has no entry under guardedby.breakers";
        String entry = "ive '" + name + "' an entry of its own, or set guardedby.unknown-name to allow";
        if (meant != null) {
            throw new InvalidGuardException(
                    what + ", and nobody uses the entry '" + meant + "': did you mean '" + meant + "'?",
                    "Write @GuardedBy(\"" + meant + "\"), or rename guardedby.breakers"
                            + (meant.contains(".") ? "[" + meant + "]" : "." + meant) + ", or g" + entry);
        }
        if (configured.unknownName() == UnknownName.FAIL) {
            throw new InvalidGuardException(what + ", as guardedby.unknown-name=fail demands", "G" + entry);
        }
        near(name, configured)
                .findFirst()
                .ifPresent(near -> LOG.warn(what + " but resembles '" + near + "', which others use: it gets a circuit"
                        + " breaker of its own, with the defaults. If that is a misspelling, write @GuardedBy(\"" + near
                        + "\"); guardedby.unknown-name=fail refuses every name without an entry."));
    }

    private @Nullable String misspelt(String name, ConfiguredBreakers configured) {
        return near(name, configured)
                .filter(entry -> !isUsed(entry, used, configured) && !isUsed(entry, usedByBeans(), configured))
                .findFirst()
                .orElse(null);
    }

    private static Stream<String> near(String name, ConfiguredBreakers configured) {
        return configured.names().stream()
                .filter(entry -> isOneEdit(name, entry))
                .sorted();
    }

    private static boolean isUsed(String entry, Set<String> names, ConfiguredBreakers configured) {
        return names.stream().anyMatch(name -> configured.entryOf(name).equals(Optional.of(entry)));
    }

    /** The names on all beans, those that are not made yet included. */
    private Set<String> usedByBeans() {
        Set<String> names = new HashSet<>();
        for (String bean : beans.getBeanDefinitionNames()) {
            Class<?> type = beans.getType(bean, false);
            if (type != null && declarations.mentionedIn(type)) {
                Class<?> beanClass = ClassUtils.getUserClass(type);
                for (Method method : Declarations.callable(beanClass)) {
                    Declaration declaration = declarations.find(method, beanClass);
                    if (declaration != null) {
                        names.add(resolve(declaration));
                    }
                }
            }
        }
        return names;
    }

    private boolean isConfigured(String name) {
        ConfiguredBreakers configured = configuration.get();
        return configured != null
                // A breaker that the application built itself has no settings.
                && (configured.entryOf(name).isPresent()
                        || configured.settings(name).isEmpty());
    }

    /** The name as the entry has it; where nobody wrote one, as the code does, which must agree with itself. */
    private String nameFor(Declaration declaration) {
        String spelling = resolve(declaration);
        Spelled first = spellings.computeIfAbsent(
                ConfiguredBreakers.canonical(spelling), name -> new Spelled(spelling, declaration));
        if (!first.name.equals(spelling)) {
            String both = Stream.of(guardedBy(declaration, spelling), guardedBy(first.declaration, first.name))
                    .sorted()
                    .collect(Collectors.joining(" and "));
            throw new InvalidGuardException(
                    both + ": these are two spellings of one name, case and dashes make no difference",
                    "Write the name the same way in both places, or choose names that differ in more than case and"
                            + " dashes");
        }
        ConfiguredBreakers configured = configuration.get();
        return configured == null ? spelling : configured.writtenName(spelling).orElse(spelling);
    }

    private static String guardedBy(Declaration declaration, String name) {
        return declaration.where() + " is guarded by '" + name + "'";
    }

    private String resolve(Declaration declaration) {
        String name;
        try {
            name = beans.resolveEmbeddedValue(declaration.name());
        } catch (IllegalArgumentException e) {
            throw new InvalidGuardException(
                    declaration + " on " + declaration.where() + " has a placeholder without a value: "
                            + e.getMessage(),
                    "Give it a value, or a default as in ${key:default}",
                    e);
        }
        if (name == null || name.isBlank()) {
            throw new InvalidGuardException(
                    declaration + " on " + declaration.where() + " names no circuit breaker",
                    "Write its name, @GuardedBy(\"llm\") for example");
        }
        return name;
    }

    /** Whether one letter inserted, left out, replaced or swapped with the next makes one of the other. */
    static boolean isOneEdit(String one, String other) {
        String shorter = one.length() <= other.length() ? one : other;
        String longer = shorter.equals(one) ? other : one;
        int start = 0;
        while (start < shorter.length() && shorter.charAt(start) == longer.charAt(start)) {
            start++;
        }
        String restOfShorter = shorter.substring(start);
        String restOfLonger = longer.substring(start);
        if (longer.length() == shorter.length() + 1) {
            return restOfShorter.equals(restOfLonger.substring(1));
        }
        if (longer.length() != shorter.length() || restOfShorter.isEmpty()) {
            return false;
        }
        boolean swapped = restOfShorter.length() > 1
                && restOfShorter.charAt(0) == restOfLonger.charAt(1)
                && restOfShorter.charAt(1) == restOfLonger.charAt(0)
                && restOfShorter.substring(2).equals(restOfLonger.substring(2));
        return swapped || restOfShorter.substring(1).equals(restOfLonger.substring(1));
    }
}
