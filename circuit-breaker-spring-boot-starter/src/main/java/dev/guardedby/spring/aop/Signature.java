package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.stream.Collectors;
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

    /** Whether both have the same name and parameters, so that one implements or overrides the other. */
    static boolean same(Method one, Method other, Class<?> beanClass) {
        return one.equals(other)
                || (one.getName().equals(other.getName())
                        && one.getParameterCount() == other.getParameterCount()
                        && Arrays.equals(parameters(one, beanClass), parameters(other, beanClass)));
    }

    /** {@code com.acme.Assistant.ask(String)}. */
    static String qualified(Method method) {
        return name(method.getDeclaringClass()) + "." + of(method);
    }

    /** {@code ask(String)}. */
    static String of(Method method) {
        return method.getName() + "(" + list(method.getParameterTypes()) + ")";
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
