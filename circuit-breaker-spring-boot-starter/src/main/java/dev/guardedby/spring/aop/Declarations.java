package dev.guardedby.spring.aop;

import dev.guardedby.spring.GuardedBy;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.MethodClassKey;
import org.springframework.core.annotation.AnnotationConfigurationException;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Finds the {@link GuardedBy} that applies to a method of a bean.
 *
 * <p>Looked at in this order, and the first that is found applies alone: the method in the class and its superclasses, the
 * method in every interface, the class and its superclasses, every interface that has the method. Among interfaces, one
 * replaces those that it extends; two others must say the same.
 *
 * <p>Every bean of the application passes here, so a class that has nothing to do with us is recognised by what its
 * hierarchy mentions, which is looked up once a class.
 */
final class Declarations {
    private final Map<Class<?>, Boolean> mentions = new ConcurrentHashMap<>();
    private final Map<MethodClassKey, Optional<Declaration>> found = new ConcurrentHashMap<>();
    // Proxy class to what is behind proxies of it, whose annotations no proxy class shows.
    private final Map<Class<?>, Set<Target>> hidden = new ConcurrentHashMap<>();

    /** Remembers a target that is a proxy; of the same class there may be more, before other classes. */
    void note(Target target) {
        if (target.seen() != target.ultimate() && mentionedIn(target.ultimate())) {
            hidden.computeIfAbsent(target.seen(), seen -> ConcurrentHashMap.newKeySet())
                    .add(target);
        }
    }

    /** Whether the annotation is anywhere in the hierarchy of a class, or of one behind a proxy of that class. */
    boolean mentionedInOrBehind(Class<?> targetClass) {
        return mentionedIn(targetClass) || hidden.containsKey(targetClass);
    }

    /** Whether the annotation is anywhere in the hierarchy of what a proxy stands before. */
    boolean mentionedIn(Target target) {
        return mentionedIn(target.seen()) || mentionedIn(target.ultimate());
    }

    /** The declarations that may apply to a method when it is called on a target of that class. */
    List<Declaration> findAll(Method method, Class<?> targetClass) {
        List<Declaration> all = new ArrayList<>();
        Set<Target> targets = new LinkedHashSet<>(hidden.getOrDefault(targetClass, Set.of()));
        targets.add(new Target(targetClass, targetClass));
        for (Target target : targets) {
            for (Class<?> type : target.classesOf(method)) {
                Declaration declaration = find(method, type);
                if (declaration != null) {
                    all.add(declaration);
                    break;
                }
            }
        }
        return all;
    }

    /** Whether the annotation is anywhere in the hierarchy of a class. */
    boolean mentionedIn(Class<?> beanClass) {
        for (Class<?> type : hierarchy(beanClass)) {
            if (mentions.computeIfAbsent(type, Declarations::mentions)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The declaration that applies to a method when it is called on a bean, or null.
     *
     * @param method a method of the class or of one of its interfaces
     * @param beanClass the class of the bean; it may be generated, or an interface
     */
    @Nullable Declaration find(Method method, Class<?> beanClass) {
        MethodClassKey key = new MethodClassKey(method, beanClass);
        Optional<Declaration> known = found.get(key);
        if (known == null) {
            known = Optional.ofNullable(search(method, ClassUtils.getUserClass(beanClass)));
            found.put(key, known);
        }
        return known.orElse(null);
    }

    /** The methods of a bean that can be called from outside it, each as the bean's class has it. */
    static Set<Method> callable(Class<?> beanClass) {
        Set<Method> methods = new LinkedHashSet<>();
        for (Class<?> type : hierarchy(beanClass)) {
            for (Method method : ReflectionUtils.getDeclaredMethods(type)) {
                Method specific = specific(method, beanClass);
                if (!isAside(specific) && !specific.isBridge()) {
                    methods.add(specific);
                }
            }
        }
        return methods;
    }

    /** Everything of that name that has a body, whatever its visibility: of classes, nearest first, then of interfaces. */
    static List<Method> bodies(String name, Class<?> beanClass) {
        List<Method> methods = new ArrayList<>();
        for (Class<?> type : hierarchy(beanClass)) {
            for (Method method : ReflectionUtils.getDeclaredMethods(type)) {
                if (Kotlin.isNamed(method, name)
                        && method.getDeclaringClass() == type
                        && !method.isBridge()
                        && (type.isInterface() ? method.isDefault() : !Modifier.isAbstract(method.getModifiers()))) {
                    methods.add(method);
                }
            }
        }
        return methods;
    }

    /** A method as the class of the bean has it; not the bridge to it. */
    static Method specific(Method method, Class<?> beanClass) {
        // The class of a JDK proxy has every method of its interfaces, but with less to read: no annotations, no
        // generics.
        return Proxy.isProxyClass(beanClass) ? method : AopUtils.getMostSpecificMethod(method, beanClass);
    }

    /** The class with its superclasses, nearest first, then all their interfaces; generated classes and Object left out. */
    static Set<Class<?>> hierarchy(Class<?> beanClass) {
        Set<Class<?>> types = new LinkedHashSet<>(classes(beanClass));
        types.addAll(interfaces(beanClass));
        return types;
    }

    private static boolean mentions(Class<?> type) {
        if (!AnnotationUtils.isCandidateClass(type, GuardedBy.class)) {
            return false;
        }
        if (mentionedOn(type)) {
            return true;
        }
        Method[] methods;
        try {
            methods = ReflectionUtils.getDeclaredMethods(type);
        } catch (IllegalStateException e) {
            // A bean whose methods name classes that are not on the classpath; nobody guards those, and others must
            // start.
            return false;
        }
        for (Method method : methods) {
            if (mentionedOn(method)) {
                return true;
            }
        }
        return false;
    }

    private static boolean mentionedOn(AnnotatedElement place) {
        try {
            return MergedAnnotations.from(place).isPresent(GuardedBy.class);
        } catch (AnnotationConfigurationException e) {
            // Whoever reads it will say what is wrong with it.
            return true;
        }
    }

    private @Nullable Declaration search(Method method, Class<?> beanClass) {
        Method specific = specific(method, beanClass);
        if (isAside(specific) || !(mentionedIn(beanClass) || mentionedIn(method.getDeclaringClass()))) {
            return null;
        }
        List<Class<?>> classes = classes(beanClass);
        for (Class<?> type : classes) {
            Method there = counterpart(specific, type, beanClass);
            Declaration declaration = there == null ? null : Declaration.on(there);
            if (declaration != null) {
                return declaration;
            }
        }
        Set<Class<?>> interfaces = interfaces(beanClass);
        if (method.getDeclaringClass().isInterface()) {
            // An interface that a proxy added: the class knows nothing of it.
            interfaces.add(method.getDeclaringClass());
        }
        Map<Class<?>, Declaration> candidates = new LinkedHashMap<>();
        for (Class<?> type : interfaces) {
            Method there = counterpart(specific, type, beanClass);
            Declaration declaration = there == null ? null : Declaration.on(there);
            if (declaration != null) {
                candidates.put(type, declaration);
            }
        }
        return candidates.isEmpty() ? searchTypes(specific, beanClass, classes, interfaces) : onlyOneOf(candidates);
    }

    private static @Nullable Declaration searchTypes(
            Method method, Class<?> beanClass, List<Class<?>> classes, Set<Class<?>> interfaces) {
        if (!Modifier.isPublic(method.getModifiers()) || ReflectionUtils.isObjectMethod(method)) {
            return null;
        }
        Map<Class<?>, Declaration> candidates = new LinkedHashMap<>();
        for (Class<?> type : classes) {
            Declaration declaration = candidates.isEmpty() ? Declaration.on(type) : null;
            if (declaration != null) {
                candidates.put(type, declaration);
            }
        }
        if (candidates.isEmpty()) {
            for (Class<?> type : interfaces) {
                Declaration declaration = Declaration.on(type);
                if (declaration != null && hasMethod(type, interfaces, method, beanClass)) {
                    candidates.put(type, declaration);
                }
            }
        }
        if (candidates.isEmpty()) {
            return null;
        }
        Declaration declaration = onlyOneOf(candidates);
        return isFallbackOf(declaration, method, beanClass) ? null : declaration;
    }

    // The fallback of a guarded type may be public. Were it guarded as well, it would need a fallback of its own.
    private static boolean isFallbackOf(Declaration declaration, Method method, Class<?> beanClass) {
        return !declaration.fallback().isEmpty()
                && Kotlin.isNamed(method, declaration.fallback())
                && bodies(method.getName(), beanClass).stream()
                        .noneMatch(other -> Signature.arity(other) == Signature.arity(method) + 1);
    }

    /** The declaration that no other replaces; there is at least one. */
    private static Declaration onlyOneOf(Map<Class<?>, Declaration> candidates) {
        List<Declaration> remaining = new ArrayList<>();
        candidates.forEach((type, declaration) -> {
            if (candidates.keySet().stream().noneMatch(other -> other != type && type.isAssignableFrom(other))) {
                remaining.add(declaration);
            }
        });
        Declaration declaration = remaining.get(0);
        remaining.forEach(declaration::refuseUnlessSame);
        return declaration;
    }

    /** Whether an interface has the method, by itself or by one that extends it. */
    private static boolean hasMethod(Class<?> type, Set<Class<?>> interfaces, Method method, Class<?> beanClass) {
        return interfaces.stream()
                .filter(other -> type.isAssignableFrom(other) || other.isAssignableFrom(type))
                .anyMatch(other -> counterpart(method, other, beanClass) != null);
    }

    /** The method that a type declares itself and that the given one implements, overrides or is; or null. */
    private static @Nullable Method counterpart(Method method, Class<?> type, Class<?> beanClass) {
        if (method.getDeclaringClass() == type) {
            return method;
        }
        for (Method candidate : ReflectionUtils.getDeclaredMethods(type)) {
            if (candidate.getName().equals(method.getName())
                    && candidate.getDeclaringClass() == type
                    && !candidate.isBridge()
                    && !isAside(candidate)
                    && Signature.same(candidate, method, beanClass)) {
                return candidate;
            }
        }
        return null;
    }

    /** Whether no proxy stands before a method, whatever the proxy: nothing can override it. */
    private static boolean isAside(Method method) {
        int modifiers = method.getModifiers();
        return Modifier.isPrivate(modifiers)
                || Modifier.isStatic(modifiers)
                || method.getDeclaringClass() == Object.class;
    }

    private static List<Class<?>> classes(Class<?> beanClass) {
        List<Class<?>> classes = new ArrayList<>();
        Class<?> type = ClassUtils.getUserClass(beanClass);
        while (type != null && type != Object.class && !type.isInterface() && !Proxy.isProxyClass(type)) {
            classes.add(type);
            type = type.getSuperclass();
        }
        return classes;
    }

    private static Set<Class<?>> interfaces(Class<?> beanClass) {
        Set<Class<?>> interfaces = new LinkedHashSet<>();
        if (beanClass.isInterface()) {
            addWithSupers(beanClass, interfaces);
        }
        for (Class<?> type = beanClass; type != null; type = type.getSuperclass()) {
            for (Class<?> implemented : type.getInterfaces()) {
                addWithSupers(implemented, interfaces);
            }
        }
        return interfaces;
    }

    private static void addWithSupers(Class<?> type, Set<Class<?>> interfaces) {
        if (interfaces.add(type)) {
            for (Class<?> extended : type.getInterfaces()) {
                addWithSupers(extended, interfaces);
            }
        }
    }
}
