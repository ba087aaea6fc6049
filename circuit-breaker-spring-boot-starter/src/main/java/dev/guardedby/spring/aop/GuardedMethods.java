package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.core.MethodClassKey;

/**
 * The guarded methods of the application. Each is made once: when the application starts, or when it is called before that.
 *
 * <p>The registry is asked for only then. Advisors are created before everything else, and what they need would be too.
 */
final class GuardedMethods {
    private final Declarations declarations;
    private final ObjectProvider<CircuitBreakerRegistry> registry;
    private final ConfigurableBeanFactory placeholders;
    private final BreakerNames names;
    private final LostCosts lost;
    private final Map<MethodClassKey, GuardedMethod> methods = new ConcurrentHashMap<>();
    private final Map<MethodClassKey, GuardedMethod> invoked = new ConcurrentHashMap<>();
}
