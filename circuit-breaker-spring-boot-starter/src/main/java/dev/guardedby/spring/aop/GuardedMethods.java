package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.keys.Keys;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.TargetClassAware;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.core.MethodClassKey;
import org.springframework.util.ClassUtils;

/**
 * The guarded methods of the application, each with what was decided about it: when the application started, or when the
 * method was called before that.
 *
 * <p>The registry is not asked before. Advisors are created before all other beans, and so would be what they need.
 */
final class GuardedMethods {
    private static final int LONGEST_CHAIN = 8;

    private record Invoked(Method method, Target target) {}

    /** What a method is on beans of one class, and on those of the next. */
    private record Known(
            Class<?> beanClass,
            GuardedMethod guarded,
            int length,
            @Nullable Known next) {}

    private final Declarations declarations;
    private final BreakerNames names;
    private final LostCosts lost;
    private final UsageCosts usages;
    private final ModelArguments arguments;
    private final Keys keys;
    private final Map<MethodClassKey, GuardedMethod> methods = new ConcurrentHashMap<>();
    // By the method alone, whose hash costs little and which is most often the very object, and then along a short
    // chain: every guarded call comes by here.
    private final Map<Method, Known> known = new ConcurrentHashMap<>();
    private final Map<Invoked, GuardedMethod> invoked = new ConcurrentHashMap<>();

    GuardedMethods(
            Declarations declarations,
            BreakerNames names,
            LostCosts lost,
            UsageCosts usages,
            ModelArguments arguments,
            Keys keys) {
        this.declarations = declarations;
        this.names = names;
        this.lost = lost;
        this.usages = usages;
        this.arguments = arguments;
        this.keys = keys;
    }

    /** The method that is being invoked, or null if it is not guarded here. */
    @Nullable GuardedMethod of(MethodInvocation invocation) {
        Object object = invocation.getThis();
        Method method = invocation.getMethod();
        Class<?> type = object == null ? method.getDeclaringClass() : object.getClass();
        Known first = known.get(method);
        for (Known each = first; each != null; each = each.next) {
            if (each.beanClass == type) {
                return each.guarded;
            }
        }
        if (object instanceof TargetClassAware) {
            GuardedMethod guarded = lookUp(method, Target.of(object));
            return guarded == null || isGuardedFurtherIn(object) ? null : guarded;
        }
        GuardedMethod guarded = lookUp(method, plain(type));
        int length = first == null ? 0 : first.length;
        if (guarded != null && length < LONGEST_CHAIN) {
            // Whoever loses a race against another class comes by here again.
            known.put(method, new Known(type, guarded, length + 1, first));
        }
        return guarded;
    }

    private @Nullable GuardedMethod lookUp(Method method, Target target) {
        Invoked key = new Invoked(method, target);
        GuardedMethod guarded = invoked.get(key);
        if (guarded == null) {
            guarded = of(method, target);
            if (guarded != null) {
                invoked.put(key, guarded);
            }
        }
        return guarded;
    }

    /** Decides everything about the guarded methods of a target, and refuses those that cannot work. */
    void prepare(Target target) {
        for (Method method : Declarations.callable(target.seen())) {
            of(method, target);
        }
    }

    private static Target plain(Class<?> targetClass) {
        return new Target(targetClass, targetClass);
    }

    // Somebody made a proxy of a bean that is guarded already; a call counts once.
    private static boolean isGuardedFurtherIn(@Nullable Object target) {
        for (Object inner = target; inner instanceof Advised proxy; inner = AopProxyUtils.getSingletonTarget(inner)) {
            for (Advisor advisor : proxy.getAdvisors()) {
                if (advisor.getAdvice() instanceof GuardInterceptor) {
                    return true;
                }
            }
        }
        return false;
    }

    private @Nullable GuardedMethod of(Method method, Target target) {
        for (Class<?> type : target.classesOf(method)) {
            GuardedMethod guarded = of(method, type);
            if (guarded != null) {
                return guarded;
            }
        }
        return null;
    }

    private @Nullable GuardedMethod of(Method method, Class<?> generatedOrBeanClass) {
        Class<?> beanClass = ClassUtils.getUserClass(generatedOrBeanClass);
        Declaration declaration = declarations.find(method, beanClass);
        if (declaration == null) {
            return null;
        }
        Method specific = Declarations.specific(method, beanClass);
        MethodClassKey key = new MethodClassKey(specific, beanClass);
        GuardedMethod known = methods.get(key);
        if (known != null) {
            return known;
        }
        // Outside any lock of the map: it builds breakers, and what customizes them is foreign code.
        GuardedMethod made = make(specific, beanClass, declaration);
        GuardedMethod earlier = methods.putIfAbsent(key, made);
        return earlier == null ? made : earlier;
    }

    private GuardedMethod make(Method method, Class<?> beanClass, Declaration declaration) {
        Shape shape = Shape.of(method, beanClass);
        Fallback fallback = declaration.fallback().isEmpty()
                ? null
                : FallbackResolver.resolve(method, beanClass, declaration.fallback());
        CircuitBreaker breaker = names.breaker(declaration);
        CostExpression cost = declaration.cost().isEmpty()
                ? null
                : CostExpression.parse(
                        declaration.cost(), method, lost.of(breaker.name(), LostCosts.Reason.EXPRESSION));
        UsageCost usage = cost == null ? usages.of(method, beanClass, breaker) : null;
        KeyExpression key =
                declaration.key().isEmpty() ? null : KeyExpression.parse(declaration.key(), method, breaker, keys);
        ModelArgument argument = cost == null ? arguments.of(method, beanClass, breaker) : null;
        return new GuardedMethod(method, breaker, shape, fallback, cost, usage, key, argument, new LearntCost());
    }
}
