package dev.guardedby.spring.web;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.stream.Stream;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.context.ApplicationContext;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.method.ControllerAdviceBean;
import org.springframework.web.method.annotation.ExceptionHandlerMethodResolver;

/** Warns of advices of the application that take refusals because they take everything: {@link RefusalAdvice} is asked last. */
final class AdviceCheck implements SmartInitializingSingleton {
    private static final Log LOG = LogFactory.getLog(AdviceCheck.class);

    private final ApplicationContext application;

    AdviceCheck(ApplicationContext application) {
        this.application = application;
    }

    @Override
    public void afterSingletonsInstantiated() {
        ControllerAdviceBean.findAnnotatedBeans(application).stream()
                .map(ControllerAdviceBean::getBeanType)
                .flatMap(type -> Stream.ofNullable(type == null ? null : taker(type)))
                .filter(taker -> !isMeantForRefusals(taker))
                .forEach(AdviceCheck::warn);
    }

    private static @Nullable Method taker(Class<?> advice) {
        return new ExceptionHandlerMethodResolver(advice).resolveMethodByExceptionType(CallNotPermittedException.class);
    }

    private static boolean isMeantForRefusals(Method handler) {
        ExceptionHandler annotation = AnnotatedElementUtils.findMergedAnnotation(handler, ExceptionHandler.class);
        Class<?>[] named = annotation == null ? new Class<?>[0] : annotation.value();
        return Arrays.stream(named.length == 0 ? handler.getParameterTypes() : named)
                .anyMatch(CallNotPermittedException.class::equals);
    }

    private static void warn(Method taker) {
        LOG.warn("guardedby.web.problem-details is not in force where "
                + taker.getDeclaringClass().getName() + "." + taker.getName()
                + " is asked first, an @ExceptionHandler that takes refusals because it takes their supertype."
                + " Write one for CallNotPermittedException beside it.");
    }
}
