package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.history;
import static dev.guardedby.spring.aop.Guarded.order;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.GuardedBy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.config.AopConfigUtils;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.resilience.annotation.ConcurrencyLimit;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;
import org.springframework.resilience.retry.MethodRetrySpec;
import org.springframework.resilience.retry.SimpleRetryInterceptor;
import org.springframework.retry.annotation.Backoff;
import org.springframework.retry.annotation.EnableRetry;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;

/** Everything that Spring puts around a method stands where it belongs, whatever proxy it is and however it is made. */
@ExtendWith(OutputCaptureExtension.class)
final class PlaceTest {
    private static final String IN_PLACE = "@Async > fallback > limit > retry > cache > guard > transaction";

    private static ApplicationContextRunner everything(Class<?>... beans) {
        return application(beans)
                .withUserConfiguration(Everything.class)
                .withBean(NeighboursTest.Transactions.class)
                .withPropertyValues("guardedby.defaults.failure-threshold=9");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void allOnOneMethod_standInOrder_andEachDoesItsPart(boolean proxyTargetClass) {
        everything(Report.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    Job report = context.getBean(Job.class);
                    assertThat(order(report)).isEqualTo(IN_PLACE);
                    List<String> log = context.getBean(NeighboursTest.Transactions.class).log;

                    Report.failures.set(List.of("a", "a"));
                    report.run("a");
                    assertThat(log).containsExactly("begin", "rollback", "begin", "rollback", "begin", "commit");
                    assertThat(history(context, "report")).isEqualTo("1 ok, 2 failed, 0 ignored, 0 refused, closed");

                    report.run("a");
                    assertThat(history(context, "report")).isEqualTo("1 ok, 2 failed, 0 ignored, 0 refused, closed");

                    breaker(context, "report").holdOpen();
                    report.run("a");
                    report.run("b");
                    // The cache may answer, so each attempt finds out for itself.
                    assertThat(history(context, "report")).isEqualTo("1 ok, 2 failed, 0 ignored, 3 refused, open");
                    assertThat(log).hasSize(6);
                    assertThat(Report.story.get())
                            .containsExactly(
                                    "a fails by worker",
                                    "a fails by worker",
                                    "a done by worker",
                                    "b postponed by worker");
                });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void productOfAFactoryBean_isPutInPlace(boolean proxyTargetClass) {
        everything()
                .withUserConfiguration(Factory.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> assertThat(order(context.getBean("report"))).isEqualTo(IN_PLACE));
    }

    @Test
    void earlyReference_isPutInPlace_beforeAnybodyHasIt() {
        application(Chicken.class, Egg.class)
                .withAllowCircularReferences(true)
                .withUserConfiguration(WithSpringRetry.class)
                .withBean(NeighboursTest.Transactions.class)
                .run(context -> {
                    Chicken chicken = context.getBean(Chicken.class);
                    assertThat(context.getBean(Egg.class).chicken).isSameAs(chicken);
                    assertThat(order(chicken)).isEqualTo("fallback > retry > cache > guard > transaction");
                    assertThat(List.of(chicken.lay("a"), chicken.lay("a"), chicken.lay("bad")))
                            .containsExactly("egg a", "egg a", "no bad");
                    assertThat(history(context, "chicken")).isEqualTo("1 ok, 2 failed, 0 ignored, 1 refused, open");
                });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2147483646 | @Async > limit > retry > fallback > guard > cache > transaction",
                "0 | @Async > limit > retry > fallback > guard > cache > transaction",
                "2147483647 | @Async > limit > retry > cache > transaction > fallback > guard"
            })
    void aspectOrder_isAPlainNumber_andMovesNobodyElse(int number, String wanted) {
        everything(Report.class)
                .withPropertyValues("guardedby.aspect-order=" + number)
                .run(context -> assertThat(order(context.getBean(Job.class))).isEqualTo(wanted));
    }

    @Test
    void aspectOrder_isReadInAnySpelling() {
        everything(Report.class)
                .withPropertyValues("guardedby.aspectOrder=0")
                .run(context ->
                        assertThat(order(context.getBean(Job.class))).startsWith("@Async > limit > retry > fallback"));
    }

    @Test
    void aspectOrderThatIsNoNumber_stopsTheStart() {
        application(Report.class)
                .withPropertyValues("guardedby.aspect-order=first")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("guardedby.aspect-order must be a whole number, but was 'first'"));
    }

    @Test
    void beansWithoutAGuard_areLeftAlone() {
        everything(Unguarded.class).run(context -> {
            List<String> advisors = context.getBean(Unguarded.class).run("x");
            assertThat(order(context.getBean(Unguarded.class))).isEqualTo("retry > cache > transaction");
            assertThat(advisors).containsExactly("x");
        });
    }

    @Test
    void retryInAProxyOfItsOwn_cannotBePutInPlace_andIsNamed(CapturedOutput output) {
        application().withUserConfiguration(OwnProxy.class).run(context -> {
            context.getBean("outer", Job.class).run("a");
            assertThat(history(context, "job")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
            assertThat(output.getAll().lines().filter(line -> line.contains("cannot be put in place")))
                    .hasSize(1)
                    .first()
                    .asString()
                    .contains("The bean 'outer' has advisors")
                    .contains("stand as retry > fallback > guard and should as fallback > retry > guard");
        });
    }

    @Test
    void frozenProxy_isLeftAsItIs_andNamed(CapturedOutput output) {
        application().withUserConfiguration(Frozen.class).run(context -> {
            context.getBean(Retried.class).run("a");
            assertThat(history(context, "job")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
            assertThat(output.getAll())
                    .contains("The bean 'frozen' has advisors that cannot be put in place")
                    .contains("stand as retry > fallback > guard and should as fallback > retry > guard");
        });
    }

    interface Job {
        void run(String name);
    }

    /** On the interface, where Spring finds these two also if that is all that a proxy has. */
    interface ResilientJob extends Job {
        @Override
        @Retryable(maxRetries = 2, delay = 0)
        @ConcurrencyLimit(1)
        void run(String name);
    }

    /** What only a single-threaded test may share. */
    static final class Shared<T> {
        private volatile T value;

        Shared(T value) {
            this.value = value;
        }

        void set(T next) {
            value = next;
        }

        T get() {
            return value;
        }
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    static class Report implements ResilientJob {
        static final Shared<List<String>> failures = new Shared<>(List.of());
        static final Shared<List<String>> story = new Shared<>(new CopyOnWriteArrayList<>());

        Report() {
            story.set(new CopyOnWriteArrayList<>());
        }

        @Override
        @Async
        @Cacheable("jobs")
        @Transactional
        @GuardedBy(name = "report", fallback = "postponed") public void run(String name) {
            if (failures.get().contains(name)) {
                failures.set(failures.get().subList(1, failures.get().size()));
                story.get().add(name + " fails" + by());
                throw new IllegalStateException(name);
            }
            story.get().add(name + " done" + by());
        }

        private void postponed(String name) {
            story.get().add(name + " postponed" + by());
        }

        private static String by() {
            return " by " + Thread.currentThread().getName();
        }
    }

    static class Unguarded {
        @Retryable(delay = 0)
        @Cacheable("jobs")
        @Transactional
        public List<String> run(String name) {
            return List.of(name);
        }
    }

    @Configuration
    @EnableAsync
    @EnableResilientMethods
    @EnableCaching
    @EnableTransactionManagement
    static class Everything {
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

        @Bean
        CacheManager cacheManager() {
            return new ConcurrentMapCacheManager("jobs");
        }
    }

    @Configuration
    static class Factory {
        @Bean
        FactoryBean<Report> report() {
            return new FactoryBean<>() {
                @Override
                public Report getObject() {
                    return new Report();
                }

                @Override
                public Class<?> getObjectType() {
                    return Report.class;
                }
            };
        }
    }

    @Configuration
    @EnableRetry
    @EnableCaching
    @EnableTransactionManagement
    static class WithSpringRetry {
        @Bean
        CacheManager cacheManager() {
            return new ConcurrentMapCacheManager("eggs");
        }
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    static class Chicken {
        @Autowired
        Egg egg;

        @org.springframework.retry.annotation.Retryable(maxAttempts = 3, backoff = @Backoff(0))
        @Cacheable("eggs")
        @Transactional
        @GuardedBy(name = "chicken", fallback = "none") public String lay(String name) {
            if (name.equals("bad")) {
                throw new IllegalStateException(name);
            }
            return "egg " + name;
        }

        private String none(String name) {
            return "no " + name;
        }
    }

    static class Egg {
        @Autowired
        Chicken chicken;
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    static class Failing implements Job {
        @Override
        @GuardedBy(name = "job", fallback = "postponed") public void run(String name) {
            throw new IllegalStateException(name);
        }

        private void postponed(String name) {}
    }

    private static SimpleRetryInterceptor retry() {
        return new SimpleRetryInterceptor(new MethodRetrySpec((method, thrown) -> true, 2, Duration.ZERO));
    }

    @Configuration
    static class OwnProxy {
        @Bean
        Failing inner() {
            return new Failing();
        }

        @Bean
        Job outer(Failing inner) {
            ProxyFactory proxy = new ProxyFactory(inner);
            proxy.addAdvice(retry());
            return (Job) proxy.getProxy();
        }
    }

    @Configuration
    @EnableResilientMethods
    static class Frozen {
        /** Then nobody can add to a proxy any more, so that each puts another one around it. */
        @Bean
        static BeanFactoryPostProcessor freezing() {
            return beans -> beans.getBeanDefinition(AopConfigUtils.AUTO_PROXY_CREATOR_BEAN_NAME)
                    .getPropertyValues()
                    .add("frozen", true);
        }

        @Bean
        Retried frozen() {
            return new Retried();
        }
    }

    static class Retried extends Failing {
        @Override
        @Retryable(excludes = CallNotPermittedException.class, delay = 0)
        @GuardedBy(name = "job", fallback = "postponed") public void run(String name) {
            super.run(name);
        }
    }
}
