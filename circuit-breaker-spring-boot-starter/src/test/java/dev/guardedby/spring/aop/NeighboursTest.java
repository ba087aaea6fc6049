package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.failing;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import org.aopalliance.intercept.MethodInterceptor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.Advisor;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionSystemException;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;

@ExtendWith(OutputCaptureExtension.class)
final class NeighboursTest {

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void withoutAspectJsAnnotations_proxiesAreMadeAllTheSame(boolean proxyTargetClass) {
        application(Plain.class)
                .withPropertyValues("spring.aop.auto=false", "spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    Service service = context.getBean(Service.class);
                    assertThat(AopUtils.isCglibProxy(service)).isEqualTo(proxyTargetClass);
                    service.call("a");
                    assertThat(history(context, "service")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
                });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void failedCommit_isAFailure_andIsAnsweredFor(boolean proxyTargetClass) {
        application(Transactions.class, Booking.class)
                .withUserConfiguration(WithTransactions.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    Service booking = context.getBean(Service.class);
                    assertThat(booking.call("a")).isEqualTo("booked a");
                    context.getBean(Transactions.class).commitFails = true;
                    assertThat(booking.call("b")).isEqualTo("not booked: b");
                    assertThat(context.getBean(Transactions.class).log)
                            .containsExactly("begin", "commit", "begin", "commit fails");
                    assertThat(history(context, "booking")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed");
                });
    }

    @Test
    void refusedCall_beginsNoTransaction() {
        application(Transactions.class, Booking.class)
                .withUserConfiguration(WithTransactions.class)
                .run(context -> {
                    Guarded.breaker(context, "booking").holdOpen();
                    assertThat(context.getBean(Booking.class).call("a")).isEqualTo("not booked: a");
                    assertThat(context.getBean(Transactions.class).log).isEmpty();
                });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void asyncMethod_isGuardedOnItsThread_andAnsweredForThere(boolean proxyTargetClass) {
        application(Mailer.class)
                .withUserConfiguration(WithAsync.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    Mail mailer = context.getBean(Mail.class);
                    assertThat(mailer.send("a").get()).isEqualTo("sent a by worker");
                    assertThat(mailer.future("a").get()).isEqualTo("sent a by worker");
                    assertThat(mailer.send("bad").get()).isEqualTo("kept bad by worker");
                    assertThatExceptionOfType(ExecutionException.class)
                            .isThrownBy(() -> mailer.future("bad").get())
                            .withCauseInstanceOf(IllegalStateException.class);
                    assertThat(history(context, "mail")).isEqualTo("2 ok, 2 failed, 0 ignored, 0 refused, open");
                    Future<String> refused = mailer.future("a");
                    assertThatExceptionOfType(ExecutionException.class)
                            .isThrownBy(refused::get)
                            .withMessageContaining("Circuit breaker 'mail' is open");
                });
    }

    @Test
    void cachedMethod_isGuarded_andTheFallbackIsNotCached() {
        application(Catalog.class).withUserConfiguration(WithCache.class).run(context -> {
            Catalog catalog = context.getBean(Catalog.class);
            assertThat(List.of(catalog.find("a"), catalog.find("a"))).containsExactly("found a", "found a");
            assertThat(catalog.find("bad")).isEqualTo("unknown bad");
            assertThat(context.getBean(CacheManager.class).getCache("catalog").get("bad"))
                    .isNull();
            assertThat(history(context, "catalog")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void advisorsStand_fallbackOutermost_guardJustOutsideTheTransaction() {
        application(Transactions.class, Booking.class)
                .withUserConfiguration(WithTransactions.class, WithCache.class)
                .run(context -> {
                    List<String> advices = new ArrayList<>();
                    for (Advisor advisor : ((Advised) context.getBean(Booking.class)).getAdvisors()) {
                        advices.add(advisor.getAdvice().getClass().getSimpleName());
                    }
                    assertThat(advices).endsWith("FallbackInterceptor", "GuardInterceptor", "TransactionInterceptor");
                });
    }

    @Test
    void beanBehindTwoProxies_isGuardedOnce_andItsFallbackSeesItsFields() {
        application().withUserConfiguration(Scoped.class).run(context -> {
            Stateful bean = context.getBean(Stateful.class);
            assertThat(bean.call("a")).isEqualTo("state for a");
            assertThat(history(context, "stateful")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void interfaceWithoutAClass_isGuarded_andItsDefaultMethodAnswers() {
        application().withUserConfiguration(Clients.class).run(context -> {
            Client client = context.getBean(Client.class);
            assertThat(client.get("a")).isEqualTo("got a");
            assertThat(client.get("bad")).isEqualTo("no bad");
            assertThat(history(context, "client")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void repositoryWhoseImplementationKnowsNothingOfItsInterface_isGuarded() {
        application().withUserConfiguration(Repositories.class).run(context -> {
            Users users = context.getBean(Users.class);
            assertThat(users.save("a")).isEqualTo("saved a");
            assertThat(users.find("b")).isEqualTo("found b");
            assertThat(users.save("bad")).isEqualTo("kept bad");
            assertThat(history(context, "users")).isEqualTo("2 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void classBehindSomebodyElsesProxy_isGuardedAsItSays_andReplacesTheInterface(boolean proxyTargetClass) {
        application()
                .withUserConfiguration(ForeignProxies.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    for (String bean : List.of("none", "first", "second", "ofClass", "product")) {
                        assertThat(context.getBean(bean, Service.class).call("a"))
                                .isEqualTo("done a");
                    }
                    assertThat(context.getBean(CircuitBreakerRegistry.class).all().stream()
                                    .map(breaker -> breaker.name()))
                            .containsExactlyInAnyOrder("first", "second", "class", "product");
                    for (String name : List.of("first", "second", "class", "product")) {
                        assertThat(history(context, name)).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
                    }
                    assertThat(context.getBean("second", Service.class).call("bad"))
                            .isEqualTo("kept bad");
                });
    }

    @Test
    void proxyOfAGuardedBean_isNotGuardedAgain() {
        application().withUserConfiguration(Wrapping.class).run(context -> {
            assertThat(context.getBean("wrapped", Service.class).call("bad")).isEqualTo("kept bad");
            assertThat(history(context, "second")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void nothingWarns_andNothingIsMadeBeforeItsTime(CapturedOutput output) {
        application(Transactions.class, Booking.class, Plain.class)
                .withUserConfiguration(WithTransactions.class, WithAsync.class, WithCache.class)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(output.getAll()).doesNotContain("not eligible");
                });
        application(Plain.class, Watcher.class).run(context -> {
            Service service = context.getBean(Watcher.class).service;
            assertThat(service).isSameAs(context.getBean(Service.class));
            assertThat(AopUtils.isAopProxy(service)).isTrue();
        });
    }

    @Test
    void resilience4jBesideUs_doesNoHarm() {
        application(Plain.class)
                .withConfiguration(AutoConfigurations.of(
                        io.github.resilience4j.springboot.circuitbreaker.autoconfigure.CircuitBreakerAutoConfiguration
                                .class))
                .run(context -> {
                    assertThat(context).hasSingleBean(CircuitBreakerRegistry.class);
                    failing(() -> context.getBean(Service.class).call("bad"));
                    assertThat(history(context, "service")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
                });
    }

    interface Service {
        String call(String input);
    }

    static class Plain implements Service {
        @Override
        @GuardedBy("service") public String call(String input) {
            return answer("done ", input);
        }
    }

    private static String answer(String prefix, String input) {
        if (input.equals("bad")) {
            throw new IllegalStateException("bad");
        }
        return prefix + input;
    }

    @Configuration
    @EnableTransactionManagement
    static class WithTransactions {}

    static final class Transactions extends AbstractPlatformTransactionManager implements PlatformTransactionManager {
        private static final long serialVersionUID = 1;

        final transient List<String> log = new CopyOnWriteArrayList<>();
        volatile boolean commitFails;

        @Override
        protected Object doGetTransaction() {
            return this;
        }

        @Override
        protected void doBegin(Object transaction, org.springframework.transaction.TransactionDefinition definition) {
            log.add("begin");
        }

        @Override
        protected void doCommit(DefaultTransactionStatus status) {
            if (commitFails) {
                log.add("commit fails");
                throw new TransactionSystemException("commit failed");
            }
            log.add("commit");
        }

        @Override
        protected void doRollback(DefaultTransactionStatus status) {
            log.add("rollback");
        }
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    static class Booking implements Service {
        @Override
        @Transactional
        @GuardedBy(name = "booking", fallback = "notBooked") public String call(String input) {
            return "booked " + input;
        }

        private String notBooked(String input, Exception failure) {
            return "not booked: " + input;
        }
    }

    interface Mail {
        CompletableFuture<String> send(String text);

        Future<String> future(String text);
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    static class Mailer implements Mail {
        @Override
        @Async
        @GuardedBy(name = "mail", fallback = "kept") public CompletableFuture<String> send(String text) {
            return CompletableFuture.completedFuture(answer("sent ", text) + by());
        }

        private CompletableFuture<String> kept(String text) {
            return CompletableFuture.completedFuture("kept " + text + by());
        }

        @Override
        @Async
        @GuardedBy("mail") public Future<String> future(String text) {
            return CompletableFuture.completedFuture(answer("sent ", text) + by());
        }

        private static String by() {
            return " by " + Thread.currentThread().getName().replaceAll("[^a-z]", "");
        }
    }

    @Configuration
    @EnableAsync
    static class WithAsync {
        @Bean
        Executor taskExecutor() {
            return new SimpleAsyncTaskExecutor("worker");
        }
    }

    @Configuration
    @EnableCaching
    static class WithCache {
        @Bean
        CacheManager cacheManager() {
            return new ConcurrentMapCacheManager("catalog");
        }
    }

    @SuppressWarnings("UnusedMethod") // fallbacks are found by name
    static class Catalog {
        @Cacheable("catalog")
        @GuardedBy(name = "catalog", fallback = "unknown") public String find(String key) {
            return answer("found ", key);
        }

        private String unknown(String key) {
            return "unknown " + key;
        }
    }

    @SuppressWarnings("UnusedMethod") // fallbacks are found by name
    static class Stateful {
        private final String state;

        Stateful() {
            this("nobody's state");
        }

        Stateful(String state) {
            this.state = state;
        }

        @GuardedBy(name = "stateful", fallback = "stateFor") public String call(String input) {
            throw new IllegalStateException("down");
        }

        private String stateFor(String input) {
            return state + " for " + input;
        }
    }

    @Configuration
    static class Scoped {
        @Bean
        @Scope(scopeName = "prototype", proxyMode = ScopedProxyMode.TARGET_CLASS)
        Stateful stateful() {
            return new Stateful("state");
        }
    }

    interface Client {
        @GuardedBy(name = "client", fallback = "none") String get(String key);

        default String none(String key) {
            return "no " + key;
        }
    }

    @Configuration
    static class Clients {
        /** As HTTP service clients are made. */
        @Bean
        Client client() {
            return (Client) Proxy.newProxyInstance(
                    Client.class.getClassLoader(), new Class<?>[] {Client.class}, (proxy, method, arguments) -> {
                        if (method.isDefault()) {
                            return InvocationHandler.invokeDefault(proxy, method, arguments);
                        }
                        return method.getName().equals("get")
                                ? answer("got ", (String) arguments[0])
                                : method.getName();
                    });
        }
    }

    static class Unguarded implements Service {
        @Override
        public String call(String input) {
            return answer("done ", input);
        }
    }

    static class First extends Unguarded {
        @Override
        @GuardedBy("first") public String call(String input) {
            return super.call(input);
        }
    }

    @SuppressWarnings("UnusedMethod") // fallbacks are found by name
    static class Second extends Unguarded {
        @Override
        @GuardedBy(name = "second", fallback = "kept") public String call(String input) {
            return super.call(input);
        }

        private String kept(String input) {
            return "kept " + input;
        }
    }

    static class Product extends Unguarded {
        @Override
        @GuardedBy("product") public String call(String input) {
            return super.call(input);
        }
    }

    interface GuardedService extends Service {
        @Override
        @GuardedBy("interface") String call(String input);
    }

    static class OfClass extends Unguarded implements GuardedService {
        @Override
        @GuardedBy("class") public String call(String input) {
            return super.call(input);
        }
    }

    private static Service foreign(Service target) {
        return (Service) new ProxyFactory(target).getProxy();
    }

    @Configuration
    static class ForeignProxies {
        @Bean
        Service none() {
            return foreign(new Unguarded());
        }

        @Bean
        Service first() {
            return foreign(new First());
        }

        @Bean
        Service second() {
            return foreign(new Second());
        }

        @Bean
        Service ofClass() {
            return foreign(new OfClass());
        }

        @Bean
        FactoryBean<Service> product() {
            return new FactoryBean<>() {
                @Override
                public Service getObject() {
                    return foreign(new Product());
                }

                @Override
                public Class<?> getObjectType() {
                    return Service.class;
                }
            };
        }
    }

    @Configuration
    static class Wrapping {
        @Bean
        Second inner() {
            return new Second();
        }

        @Bean
        Service wrapped(Second inner) {
            return foreign(inner);
        }
    }

    /** Asked for by every breaker, and a client of a guarded bean itself. */
    static final class Watcher implements CircuitBreakerListener {
        final Service service;

        Watcher(Service service) {
            this.service = service;
        }
    }

    interface Crud<T> {
        T save(T entity);
    }

    @GuardedBy(name = "users", fallback = "kept") interface Users extends Crud<String> {
        String find(String name);

        default String kept(String name) {
            return "kept " + name;
        }
    }

    static class SimpleRepository implements Crud<String> {
        @Override
        public String save(String entity) {
            return answer("saved ", entity);
        }
    }

    @Configuration
    static class Repositories {
        /** As Spring Data makes them: a proxy of the interface, before something that does not implement it. */
        @Bean
        FactoryBean<Users> users() {
            ProxyFactory repository = new ProxyFactory(new SimpleRepository());
            repository.setInterfaces(Users.class);
            repository.addAdvice((MethodInterceptor)
                    invocation -> switch (invocation.getMethod().getName()) {
                        case "find" -> "found " + invocation.getArguments()[0];
                        case "kept" ->
                            InvocationHandler.invokeDefault(
                                    ((ProxyMethodInvocation) invocation).getProxy(),
                                    invocation.getMethod(),
                                    invocation.getArguments());
                        default -> invocation.proceed();
                    });
            return new FactoryBean<>() {
                @Override
                public Users getObject() {
                    return (Users) repository.getProxy();
                }

                @Override
                public Class<?> getObjectType() {
                    return Users.class;
                }
            };
        }
    }
}
