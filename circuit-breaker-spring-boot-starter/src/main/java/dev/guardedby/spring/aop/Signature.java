package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.lang.reflect.WildcardType;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/** Methods compared and written down as the bean's class sees them, with its type arguments in place. */
final class Signature {
    private Signature() {}

    /** The parameter types; a type variable is what the bean's class makes of it, or its bound. */
    static Class<?>[] parameters(Method method, Class<?> beanClass) {
        Class<?>[] types = new Class<?>[method.getParameterCount()];
        for (int i = 0; i < types.length; i++) {
            types[i] = ResolvableType.forMethodParameter(method, i, beanClass).toClass();
        }
        return types;
    }

    /** The parameter types as they were written: a suspend function takes its continuation besides. */
    static Class<?>[] written(Method method, Class<?> beanClass) {
        return withoutContinuation(method, parameters(method, beanClass));
    }

    /** What a call of the method comes to: the return type, but of a suspend function what it goes on with. */
    static ResolvableType result(Method method, Class<?> beanClass) {
        if (!KotlinDetector.isSuspendingFunction(method)) {
            return ResolvableType.forMethodReturnType(method, beanClass);
        }
        // Continuation<? super T>
        ResolvableType result = ResolvableType.forMethodParameter(method, method.getParameterCount() - 1, beanClass)
                .getGeneric();
        return result.getType() instanceof WildcardType wildcard && wildcard.getLowerBounds().length == 1
                ? ResolvableType.forType(
                        wildcard.getLowerBounds()[0], ResolvableType.forClass(method.getDeclaringClass(), beanClass))
                : result;
    }

    /** How many arguments callers write. */
    static int arity(Method method) {
        return method.getParameterCount() - (KotlinDetector.isSuspendingFunction(method) ? 1 : 0);
    }

    private static Class<?>[] withoutContinuation(Method method, Class<?>[] types) {
        return Arrays.copyOf(types, arity(method));
    }

    /** Whether both have the same name and parameters, so that one implements or overrides the other. */
    static boolean same(Method one, Method other, Class<?> beanClass) {
        return one.equals(other)
                || (one.getName().equals(other.getName())
                        && one.getParameterCount() == other.getParameterCount()
                        && Arrays.equals(parameters(one, beanClass), parameters(other, beanClass)));
    }

    /** {@code com.acme.Assistant.ask(String)}. */
    static String qualified(Method method) {
        return kind(method) + name(method.getDeclaringClass()) + "." + call(method);
    }

    /** {@code ask(String)}, or {@code suspend ask(String)} in Kotlin. */
    static String of(Method method) {
        return kind(method) + call(method);
    }

    private static String kind(Method method) {
        return KotlinDetector.isSuspendingFunction(method) ? "suspend " : "";
    }

    private static String call(Method method) {
        return method.getName() + "(" + list(withoutContinuation(method, method.getParameterTypes())) + ")";
    }

    /** {@code String, int}. */
    static String list(Class<?>... types) {
        return Arrays.stream(types).map(ClassUtils::getShortName).collect(Collectors.joining(", "));
    }

    /** {@code com.acme.Assistant}. */
    static String name(Class<?> type) {
        String name = type.getCanonicalName();
        return name == null ? type.getName() : name;
    }
}
