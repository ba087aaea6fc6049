package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;

/** What the README says about the order of annotations on one method. */
class AnnotationOrderTest {
    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(GuardedByAutoConfiguration.class, GuardedByAopAutoConfiguration.class))
            .withUserConfiguration(Application.class);

    @Test
    void retry_isAroundTheGuard_soEachAttemptCounts() {
        application.run(context -> {
            assertThat(context.getBean(Remote.class).retried()).isEqualTo("answer 3");
            assertThat(counts(context)).isEqualTo("1 succeeded, 2 failed");
        });
    }

    @Test
    void fallback_isAroundTheRetry_soItAnswersAfterTheLastAttempt() {
        application.run(context -> {
            assertThat(context.getBean(Remote.class).retriedWithFallback()).isEqualTo("fallback");
            assertThat(counts(context)).isEqualTo("0 succeeded, 2 failed");
        });
    }

    @Test
    void openBreaker_isAnsweredForBeforeTheFirstAttempt() {
        application.run(context -> {
            context.getBean(CircuitBreakerRegistry.class).get("llm").forceOpen();
            assertThat(context.getBean(Remote.class).retriedWithFallback()).isEqualTo("fallback");
            assertThat(counts(context)).isEqualTo("0 succeeded, 0 failed, 1 refused");
        });
    }

    @Test
    void cache_isAroundTheGuard_soAnAnswerFromThereIsNoCall_andIsServedWhileOpen() {
        application.run(context -> {
            assertThat(context.getBean(Remote.class).cached()).isEqualTo("answer 1");
            context.getBean(CircuitBreakerRegistry.class).get("llm").forceOpen();
            assertThat(context.getBean(Remote.class).cached()).isEqualTo("answer 1");
            assertThat(counts(context)).isEqualTo("1 succeeded, 0 failed");
        });
    }

    @Test
    void async_isAroundTheGuard_soTheCallIsCountedInItsOwnThread() {
        application.run(context -> {
            assertThat(context.getBean(Remote.class).inItsOwnThread().get(5, TimeUnit.SECONDS))
                    .isNotSameAs(Thread.currentThread());
            assertThat(counts(context)).isEqualTo("1 succeeded, 0 failed");
        });
    }

    private static String counts(ApplicationContext context) {
        CircuitBreakerStats llm =
                context.getBean(CircuitBreakerRegistry.class).get("llm").stats();
        return llm.totalSuccesses() + " succeeded, " + llm.totalFailures() + " failed"
                + (llm.totalRejected() == 0 ? "" : ", " + llm.totalRejected() + " refused");
    }

    @Configuration(proxyBeanMethods = false)
    @EnableCaching
    @EnableAsync
    @EnableResilientMethods
    static class Application {
        @Bean
        CacheManager caches() {
            return new ConcurrentMapCacheManager();
        }

        @Bean
        Remote remote() {
            return new Remote();
        }
    }

    static class Remote {
        private int calls;

        @GuardedBy("llm") @Retryable(maxRetries = 3, delay = 0)
        public String retried() {
            return answerAtTheThirdCall();
        }

        @GuardedBy(name = "llm", fallback = "fallback") @Retryable(maxRetries = 1, delay = 0, excludes = CallNotPermittedException.class)
        public String retriedWithFallback() {
            return answerAtTheThirdCall();
        }

        String fallback() {
            return "fallback";
        }

        @GuardedBy("llm") @Cacheable("answers")
        public String cached() {
            return "answer " + ++calls;
        }

        @GuardedBy("llm") @Async
        public CompletableFuture<Thread> inItsOwnThread() {
            return CompletableFuture.completedFuture(Thread.currentThread());
        }

        private String answerAtTheThirdCall() {
            if (++calls < 3) {
                throw new IllegalStateException("not yet");
            }
            return "answer " + calls;
        }
    }
}
