package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.history;
import static dev.guardedby.spring.aop.Guarded.order;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.GuardedBy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.config.ScheduledTaskHolder;
import org.springframework.scheduling.config.TaskManagementConfigUtils;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.core.context.SecurityContextHolder;

/** Guarded methods that Spring calls, or keeps callers from: schedules, events, executors, access rules. */
final class CalledBySpringTest {

    @Test
    void scheduledMethod_isGuarded() {
        application(Poller.class).withUserConfiguration(WithSchedules.class).run(context -> {
            Poller poller = context.getBean(Poller.class);
            runScheduled(context);
            poller.goDown();
            runScheduled(context);
            runScheduled(context);
            runScheduled(context);
            assertThat(poller.log()).containsExactly("poll", "skip", "skip", "skip");
            assertThat(history(context, "poller")).isEqualTo("1 ok, 2 failed, 0 ignored, 1 refused, open");
        });
    }

    private static void runScheduled(ApplicationContext context) {
        context.getBeansOfType(ScheduledTaskHolder.class)
                .values()
                .forEach(holder -> holder.getScheduledTasks()
                        .forEach(scheduled -> scheduled.getTask().getRunnable().run()));
    }

    @Test
    void eventListener_isGuarded_andARefusalReachesThePublisher() {
        application(Subscriber.class).run(context -> {
            Subscriber subscriber = context.getBean(Subscriber.class);
            context.publishEvent("a");
            assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> context.publishEvent("bad"));
            assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> context.publishEvent("bad"));
            assertThatExceptionOfType(CallNotPermittedException.class).isThrownBy(() -> context.publishEvent("b"));
            assertThat(subscriber.log()).containsExactly("a", "bad", "bad");
            assertThat(history(context, "subscriber")).isEqualTo("1 ok, 2 failed, 0 ignored, 1 refused, open");
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void asyncMethod_isGuardedAndAnsweredForOnItsThread_whateverItReturns(boolean proxyTargetClass) {
        application(Mailer.class)
                .withUserConfiguration(WithAsync.class)
                .withPropertyValues(
                        "guardedby.defaults.failure-threshold=9", "spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    Mail mail = context.getBean(Mail.class);
                    assertThat(order(mail)).isEqualTo("@Async > fallback > guard");
                    mail.send("a");
                    mail.send("bad");
                    assertThat(List.of(
                                    mail.later("a").get(),
                                    mail.later("bad").get(),
                                    mail.future("a").get()))
                            .containsExactly("sent a by worker", "kept bad by worker", "sent a by worker");
                    assertThatExceptionOfType(ExecutionException.class)
                            .isThrownBy(() -> mail.future("bad").get())
                            .withCauseInstanceOf(IllegalStateException.class);
                    assertThat(history(context, "mail")).isEqualTo("3 ok, 3 failed, 0 ignored, 0 refused, closed");
                    breaker(context, "mail").holdOpen();
                    mail.send("b");
                    assertThat(mail.later("b").get()).isEqualTo("kept b by worker");
                    assertThat(history(context, "mail")).isEqualTo("3 ok, 3 failed, 0 ignored, 2 refused, open");
                    assertThat(Mailer.LOG)
                            .containsExactly("sent a by worker", "kept bad by worker", "kept b by worker");
                });
    }

    @Test
    void asyncWithAnInnerPlace_isMovedOutermost() {
        application(Mailer.class)
                .withUserConfiguration(WithAsync.class, Innermost.class)
                .run(context -> assertThat(order(context.getBean(Mail.class))).isEqualTo("@Async > fallback > guard"));
    }

    @Test
    void accessDenied_isNoFailure_andTheFallbackDoesNotAnswerForIt() {
        application(Safe.class).withUserConfiguration(WithSecurity.class).run(context -> {
            Safe safe = context.getBean(Safe.class);
            SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("a", "b", "USER"));
            try {
                assertThatExceptionOfType(AccessDeniedException.class).isThrownBy(() -> safe.open("a"));
                breaker(context, "safe").holdOpen();
                assertThatExceptionOfType(AccessDeniedException.class).isThrownBy(() -> safe.open("a"));
                SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("a", "b", "OWNER"));
                assertThat(safe.open("a")).isEqualTo("shut");
                assertThat(history(context, "safe")).isEqualTo("0 ok, 0 failed, 0 ignored, 1 refused, open");
            } finally {
                SecurityContextHolder.clearContext();
            }
        });
    }

    @Configuration
    @EnableScheduling
    static class WithSchedules {}

    @SuppressWarnings("UnusedMethod") // fallbacks are found by name
    static class Poller {
        private final List<String> log = new CopyOnWriteArrayList<>();
        private volatile boolean down;

        public List<String> log() {
            return log;
        }

        public void goDown() {
            down = true;
        }

        @Scheduled(initialDelay = 1_000_000_000, fixedDelay = 1_000_000_000)
        @GuardedBy(name = "poller", fallback = "skip") public void poll() {
            if (down) {
                throw new IllegalStateException("down");
            }
            log.add("poll");
        }

        private void skip() {
            log.add("skip");
        }
    }

    static class Subscriber {
        private final List<String> log = new CopyOnWriteArrayList<>();

        public List<String> log() {
            return log;
        }

        @EventListener
        @GuardedBy("subscriber") public void on(String event) {
            log.add(event);
            if (event.equals("bad")) {
                throw new IllegalStateException(event);
            }
        }
    }

    interface Mail {
        void send(String text);

        CompletableFuture<String> later(String text);

        Future<String> future(String text);
    }

    @SuppressWarnings("UnusedMethod") // fallbacks are found by name
    static class Mailer implements Mail {
        static final List<String> LOG = new CopyOnWriteArrayList<>();

        Mailer() {
            LOG.clear();
        }

        @Override
        @Async
        @GuardedBy(name = "mail", fallback = "keep") public void send(String text) {
            LOG.add(sent(text));
        }

        private void keep(String text) {
            LOG.add("kept " + text + by());
        }

        @Override
        @Async
        @GuardedBy(name = "mail", fallback = "kept") public CompletableFuture<String> later(String text) {
            return CompletableFuture.completedFuture(sent(text));
        }

        private CompletableFuture<String> kept(String text) {
            return CompletableFuture.completedFuture("kept " + text + by());
        }

        @Override
        @Async
        @GuardedBy("mail") public Future<String> future(String text) {
            return CompletableFuture.completedFuture(sent(text));
        }

        private static String sent(String text) {
            if (text.equals("bad")) {
                throw new IllegalStateException(text);
            }
            return "sent " + text + by();
        }

        private static String by() {
            return " by " + Thread.currentThread().getName();
        }
    }

    @Configuration
    @EnableAsync
    static class WithAsync {
        /** Another thread, waited for. */
        @Bean
        Executor taskExecutor() {
            return task -> {
                Thread worker = new Thread(task, "worker");
                worker.start();
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            };
        }
    }

    @Configuration
    static class Innermost {
        /** As an application may ask for: then the advisor is added behind those that are there. */
        @Bean
        static BeanFactoryPostProcessor innermost() {
            return beans -> beans.getBeanDefinition(TaskManagementConfigUtils.ASYNC_ANNOTATION_PROCESSOR_BEAN_NAME)
                    .getPropertyValues()
                    .add("beforeExistingAdvisors", false);
        }
    }

    @Configuration
    @EnableMethodSecurity
    static class WithSecurity {}

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    static class Safe {
        @PreAuthorize("hasAuthority('OWNER')")
        @GuardedBy(name = "safe", fallback = "shut") public String open(String name) {
            return "open";
        }

        private String shut(String name) {
            return "shut";
        }
    }
}
