package dev.guardedby.spring.aop;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/**
 * What a method may return that is work to be done when it has returned, and tells nobody how that ends: most of all what Spring
 * MVC takes from a controller.
 */
final class LaterWork {
    private static final @Nullable Class<?> ENTITY = present("org.springframework.http.HttpEntity");
    private static final List<Class<?>> TYPES = Stream.of(
                    Callable.class.getName(),
                    "org.springframework.web.context.request.async.DeferredResult",
                    "org.springframework.web.context.request.async.WebAsyncTask",
                    "org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter",
                    "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody")
            .<Class<?>>flatMap(name -> Stream.ofNullable(present(name)))
            .toList();

    private LaterWork() {}

    /** Whether such work is what a result is. */
    static boolean is(Class<?> type) {
        return TYPES.stream().anyMatch(later -> later.isAssignableFrom(type));
    }

    /** The type of such work that a method returns, by itself or as the body of a response; null if it returns none. */
    static @Nullable Class<?> returnedAs(ResolvableType returned) {
        Class<?> type = returned.toClass();
        if (is(type)) {
            return type;
        }
        Class<?> body =
                ENTITY == null ? Object.class : returned.as(ENTITY).getGeneric().toClass();
        return is(body) || endsLater(body) ? body : null;
    }

    /** Whether it is what a guard could watch, had the method returned it by itself. */
    private static boolean endsLater(Class<?> body) {
        return CompletionStage.class.isAssignableFrom(body)
                || Future.class.isAssignableFrom(body)
                || ReactiveAdapterRegistry.getSharedInstance().getAdapter(body) != null;
    }

    private static @Nullable Class<?> present(String name) {
        ClassLoader loader = LaterWork.class.getClassLoader();
        return ClassUtils.isPresent(name, loader) ? ClassUtils.resolveClassName(name, loader) : null;
    }
}
