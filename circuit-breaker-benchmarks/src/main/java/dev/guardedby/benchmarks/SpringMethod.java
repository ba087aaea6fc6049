package dev.guardedby.benchmarks;

import static java.lang.annotation.RetentionPolicy.RUNTIME;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.answers.GuardedByAnswersAutoConfiguration;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.metrics.GuardedByMetricsAutoConfiguration;
import io.github.resilience4j.circuitbreaker.annotation.CircuitBreaker;
import io.github.resilience4j.springboot.circuitbreaker.autoconfigure.CircuitBreakerAutoConfiguration;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.annotation.Retention;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.springframework.aop.Advisor;
import org.springframework.aop.support.AopUtils;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A method of a Spring bean, guarded by its annotation; each library by the settings that it has by default. */
@Warmup(iterations = 3, time = 700, timeUnit = TimeUnit.MILLISECONDS)
public class SpringMethod extends Measured {
    static final String BREAKER = "benchmark";

    @Benchmark
    public Object plain(Plain context) {
        return context.bean.answer();
    }

    @Benchmark
    public Object emptyInterceptor(Intercepted context) {
        return context.bean.answer();
    }

    @Benchmark
    public Object guardedBy(Guarded context) {
        return context.bean.answer();
    }

    @Benchmark
    public Object guardedByWithFallback(GuardedWithFallback context) {
        return context.bean.answer();
    }

    @Benchmark
    public Object guardedByWithMetrics(GuardedWithMetrics context) {
        return context.bean.answer();
    }

    @Benchmark
    public Object resilience4j(Resilience4j context) {
        return context.bean.answer();
    }

    @Benchmark
    public Object resilience4jWithFallback(Resilience4jWithFallback context) {
        return context.bean.answer();
    }

    /** A Spring context with one bean to call. */
    abstract static class Context<T> {
        final AnnotationConfigApplicationContext context;
        final T bean;

        Context(Class<T> type, Class<?>... configurations) {
            context = new AnnotationConfigApplicationContext();
            List.of(configurations).forEach(context::register);
            context.register(type);
            context.refresh();
            bean = context.getBean(type);
        }

        void close(boolean proxied) {
            Check.that(AopUtils.isAopProxy(bean) == proxied, "there is a proxy: " + proxied);
            context.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Plain extends Context<PlainService> {
        public Plain() {
            super(PlainService.class);
        }

        @TearDown
        public void close() {
            close(false);
        }
    }

    @State(Scope.Benchmark)
    public static class Intercepted extends Context<InterceptedService> {
        public Intercepted() {
            super(InterceptedService.class, EmptyInterceptor.class);
        }

        @TearDown
        public void close() {
            close(true);
        }
    }

    /** A context whose bean GuardedBy guards. */
    abstract static class GuardedContext<T> extends Context<T> {
        GuardedContext(Class<T> type, Class<?>... configurations) {
            super(type, configurations);
        }

        dev.guardedby.circuitbreaker.CircuitBreaker breaker() {
            return context.getBean(CircuitBreakerRegistry.class).get(BREAKER);
        }

        final void check(Runnable answer) {
            long before = breaker().stats().totalSuccesses();
            for (int i = 0; i < Check.CALLS; i++) {
                answer.run();
            }
            long counted = breaker().stats().totalSuccesses() - before;
            Check.that(before > 0 && counted == Check.CALLS, "each call is counted, but " + counted);
        }
    }

    @State(Scope.Benchmark)
    public static class Guarded extends GuardedContext<GuardedService> {
        public Guarded() {
            super(GuardedService.class, GuardedByConfiguration.class);
        }

        @TearDown
        public void close() {
            check(bean::answer);
            Check.that(!context.containsBean("guardedByMeteredBreakers"), "metrics are off");
            close(true);
        }
    }

    @State(Scope.Benchmark)
    public static class GuardedWithFallback extends GuardedContext<GuardedServiceWithFallback> {
        public GuardedWithFallback() {
            super(GuardedServiceWithFallback.class, GuardedByConfiguration.class);
        }

        @TearDown
        public void close() {
            check(bean::answer);
            breaker().forceOpen();
            Check.that(bean.answer() == GuardedServiceWithFallback.SUBSTITUTE, "the fallback stands by");
            close(true);
        }
    }

    @State(Scope.Benchmark)
    public static class GuardedWithMetrics extends GuardedContext<GuardedService> {
        public GuardedWithMetrics() {
            super(GuardedService.class, GuardedByConfiguration.class, MetricsConfiguration.class);
        }

        @TearDown
        public void close() {
            check(bean::answer);
            long timed = context.getBean(MeterRegistry.class)
                    .get("guardedby.calls")
                    .tag("outcome", "success")
                    .timer()
                    .count();
            Check.that(timed == breaker().stats().totalSuccesses(), "each call is timed, but " + timed);
            close(true);
        }
    }

    /** A context whose bean Resilience4j guards. */
    abstract static class Resilience4jContext<T> extends Context<T> {
        Resilience4jContext(Class<T> type) {
            super(type, Resilience4jConfiguration.class);
        }

        io.github.resilience4j.circuitbreaker.CircuitBreaker breaker() {
            return context.getBean(io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry.class)
                    .circuitBreaker(BREAKER);
        }

        final void check() {
            int counted = breaker().getMetrics().getNumberOfSuccessfulCalls();
            Check.that(counted == Policy.WINDOW_CALLS, "the calls are counted, but " + counted);
        }
    }

    @State(Scope.Benchmark)
    public static class Resilience4j extends Resilience4jContext<Resilience4jService> {
        public Resilience4j() {
            super(Resilience4jService.class);
        }

        @TearDown
        public void close() {
            check();
            close(true);
        }
    }

    @State(Scope.Benchmark)
    public static class Resilience4jWithFallback extends Resilience4jContext<Resilience4jServiceWithFallback> {
        public Resilience4jWithFallback() {
            super(Resilience4jServiceWithFallback.class);
        }

        @TearDown
        public void close() {
            check();
            breaker().transitionToOpenState();
            Check.that(bean.answer() == Resilience4jServiceWithFallback.SUBSTITUTE, "the fallback stands by");
            close(true);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration(AopAutoConfiguration.class)
    static class EmptyInterceptor {
        @Bean
        Advisor emptyAdvisor() {
            MethodInterceptor empty = MethodInvocation::proceed;
            return new DefaultPointcutAdvisor(
                    AnnotationMatchingPointcut.forMethodAnnotation(EmptyIntercepted.class), empty);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({
        AopAutoConfiguration.class,
        GuardedByAutoConfiguration.class,
        GuardedByAnswersAutoConfiguration.class,
        GuardedByAopAutoConfiguration.class
    })
    static class GuardedByConfiguration {}

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration(GuardedByMetricsAutoConfiguration.class)
    static class MetricsConfiguration {
        @Bean
        MeterRegistry meters() {
            return new SimpleMeterRegistry();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({AopAutoConfiguration.class, CircuitBreakerAutoConfiguration.class})
    static class Resilience4jConfiguration {}

    @Retention(RUNTIME)
    @interface EmptyIntercepted {}

    /** The bean, unguarded; each of the others is the same with an annotation more. */
    public static class PlainService {
        private final Object answer = new Object();

        public Object answer() {
            return answer;
        }
    }

    public static class InterceptedService {
        private final Object answer = new Object();

        @EmptyIntercepted
        public Object answer() {
            return answer;
        }
    }

    public static class GuardedService {
        private final Object answer = new Object();

        @GuardedBy(BREAKER) public Object answer() {
            return answer;
        }
    }

    public static class GuardedServiceWithFallback {
        static final Object SUBSTITUTE = new Object();

        private final Object answer = new Object();

        @GuardedBy(name = BREAKER, fallback = "substitute") public Object answer() {
            return answer;
        }

        Object substitute() {
            return SUBSTITUTE;
        }
    }

    public static class Resilience4jService {
        private final Object answer = new Object();

        @CircuitBreaker(name = BREAKER)
        public Object answer() {
            return answer;
        }
    }

    public static class Resilience4jServiceWithFallback {
        static final Object SUBSTITUTE = new Object();

        private final Object answer = new Object();

        @CircuitBreaker(name = BREAKER, fallbackMethod = "substitute")
        public Object answer() {
            return answer;
        }

        // Resilience4j's fallback takes the exception.
        Object substitute(Exception refusal) {
            return SUBSTITUTE;
        }
    }
}
