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
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseBuilder;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseType;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** The guard stands inside caches and outside transactions: a hit is no call, and a commit is part of one. */
final class CacheAndTransactionTest {

    private static ApplicationContextRunner cached() {
        return application(Catalog.class).withUserConfiguration(WithCache.class);
    }

    private static ApplicationContextRunner booked() {
        return application(Bookings.class)
                .withUserConfiguration(WithDatabase.class)
                .withPropertyValues("guardedby.defaults.failure-threshold=9");
    }

    private static List<String> rows(ApplicationContext context) {
        return context.getBean(JdbcClient.class)
                .sql("select name from booking order by name")
                .query(String.class)
                .list();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void hit_isNoCall_andIsServedWhileOpen(boolean proxyTargetClass) {
        cached().withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    Find catalog = context.getBean(Find.class);
                    assertThat(order(catalog)).isEqualTo("fallback > cache > guard");
                    assertThat(List.of(catalog.find("a"), catalog.find("a"))).containsExactly("found a", "found a");
                    assertThat(history(context, "find")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");

                    breaker(context, "find").holdOpen();
                    assertThat(List.of(catalog.find("a"), catalog.find("b"))).containsExactly("found a", "unknown b");
                    assertThat(history(context, "find")).isEqualTo("1 ok, 0 failed, 0 ignored, 1 refused, open");
                });
    }

    @Test
    void fallback_isNotCached() {
        cached().run(context -> {
            Find catalog = context.getBean(Find.class);
            breaker(context, "find").holdOpen();
            assertThat(catalog.find("a")).isEqualTo("unknown a");
            breaker(context, "find").reset();
            assertThat(catalog.find("a")).isEqualTo("found a");
            assertThat(catalog.find("bad")).isEqualTo("unknown bad");
            assertThat(context.getBean(CacheManager.class).getCache("catalog").get("bad"))
                    .isNull();
        });
    }

    @Test
    void synchronizedCache_servesHitsWhileOpen_andKeepsNoSubstitute() {
        cached().run(context -> {
            Find catalog = context.getBean(Find.class);
            assertThat(List.of(catalog.synchronizedFind("a"), catalog.synchronizedFind("bad")))
                    .containsExactly("found a", "unknown bad");
            breaker(context, "sync").holdOpen();
            assertThat(List.of(catalog.synchronizedFind("a"), catalog.synchronizedFind("b")))
                    .containsExactly("found a", "unknown b");
            breaker(context, "sync").reset();
            assertThat(catalog.synchronizedFind("b")).isEqualTo("found b");
            assertThat(history(context, "sync")).isEqualTo("2 ok, 1 failed, 0 ignored, 1 refused, closed");
        });
    }

    @Test
    void cachedFuture_isServedWhileOpen_andTheFallbackIsNotCached() {
        cached().run(context -> {
            Find catalog = context.getBean(Find.class);
            assertThat(catalog.later("a").join()).isEqualTo("found a");
            assertThat(catalog.later("bad").join()).isEqualTo("unknown bad");
            breaker(context, "later").holdOpen();
            assertThat(catalog.later("a").join()).isEqualTo("found a");
            assertThat(catalog.later("b").join()).isEqualTo("unknown b");
            breaker(context, "later").reset();
            assertThat(catalog.later("b").join()).isEqualTo("found b");
            assertThat(history(context, "later")).isEqualTo("2 ok, 1 failed, 0 ignored, 1 refused, closed");
        });
    }

    @Test
    void cacheConfiguredOutermost_isMovedInsideTheFallbackAllTheSame() {
        application(Catalog.class).withUserConfiguration(WithOuterCache.class).run(context -> {
            Find catalog = context.getBean(Find.class);
            assertThat(order(catalog)).isEqualTo("fallback > cache > guard");
            assertThat(catalog.find("bad")).isEqualTo("unknown bad");
            assertThat(context.getBean(CacheManager.class).getCache("catalog").get("bad"))
                    .isNull();
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void commitThatFails_isAFailure_andLeavesNothing(boolean proxyTargetClass) {
        booked().withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    Book bookings = context.getBean(Book.class);
                    assertThat(order(bookings)).isEqualTo("fallback > cache > guard > transaction");
                    assertThat(List.of(bookings.book("a"), bookings.book("uncommitted")))
                            .containsExactly("booked a", "kept");
                    assertThat(rows(context)).containsExactly("a");
                    assertThat(history(context, "book")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed");
                });
    }

    @Test
    void refusedCall_beginsNoTransaction() {
        booked().run(context -> {
            breaker(context, "open").holdOpen();
            Book bookings = context.getBean(Book.class);
            assertThatExceptionOfType(CallNotPermittedException.class).isThrownBy(() -> bookings.bookElsewhere("a"));
            assertThat(rows(context)).isEmpty();
        });
    }

    @Test
    void cachedTransaction_keepsNoResultThatWasNotCommitted_andServesOthersWhileOpen() {
        booked().run(context -> {
            Book bookings = context.getBean(Book.class);
            assertThat(List.of(bookings.bookOnce("a"), bookings.bookOnce("a"), bookings.bookOnce("uncommitted")))
                    .containsExactly("booked a", "booked a", "kept");
            assertThat(rows(context)).containsExactly("a");
            breaker(context, "once").holdOpen();
            assertThat(List.of(bookings.bookOnce("a"), bookings.bookOnce("uncommitted")))
                    .containsExactly("booked a", "kept");
            assertThat(history(context, "once")).isEqualTo("1 ok, 1 failed, 0 ignored, 1 refused, open");
        });
    }

    @Test
    void transactionConfiguredOutermost_isMovedInsideTheGuard() {
        application(Bookings.class)
                .withUserConfiguration(WithOuterTransactions.class)
                .run(context -> {
                    Book bookings = context.getBean(Book.class);
                    assertThat(order(bookings)).isEqualTo("fallback > cache > guard > transaction");
                    assertThat(bookings.book("uncommitted")).isEqualTo("kept");
                    assertThat(history(context, "book")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
                });
    }

    @Test
    void reported_resilience4j2071_hystrix1558_breakerSeesTheCommitFail() {
        booked().run(context -> {
            Book bookings = context.getBean(Book.class);
            assertThatExceptionOfType(DataIntegrityViolationException.class)
                    .isThrownBy(() -> bookings.bookElsewhere("uncommitted"));
            assertThat(history(context, "open")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    interface Find {
        String find(String key);

        String synchronizedFind(String key);

        CompletableFuture<String> later(String key);
    }

    private static String found(String key) {
        if (key.equals("bad")) {
            throw new IllegalStateException(key);
        }
        return "found " + key;
    }

    @SuppressWarnings("UnusedMethod") // fallbacks are found by name
    static class Catalog implements Find {
        @Override
        @Cacheable("catalog")
        @GuardedBy(name = "find", fallback = "unknown") public String find(String key) {
            return found(key);
        }

        @Override
        @Cacheable(cacheNames = "sync", sync = true)
        @GuardedBy(name = "sync", fallback = "unknown") public String synchronizedFind(String key) {
            return found(key);
        }

        private String unknown(String key) {
            return "unknown " + key;
        }

        @Override
        @Cacheable("later")
        @GuardedBy(name = "later", fallback = "unknownLater") public CompletableFuture<String> later(String key) {
            return CompletableFuture.supplyAsync(() -> found(key), Runnable::run);
        }

        private CompletableFuture<String> unknownLater(String key) {
            return CompletableFuture.completedFuture("unknown " + key);
        }
    }

    @Configuration
    @EnableCaching
    static class WithCache {
        @Bean
        CacheManager cacheManager() {
            return new ConcurrentMapCacheManager();
        }
    }

    @Configuration
    @EnableCaching(order = 0)
    static class WithOuterCache {
        @Bean
        CacheManager cacheManager() {
            return new ConcurrentMapCacheManager();
        }
    }

    interface Book {
        String book(String name);

        String bookOnce(String name);

        String bookElsewhere(String name);
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    static class Bookings implements Book {
        private final JdbcClient jdbc;

        Bookings(JdbcClient jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        @Transactional
        @GuardedBy(name = "book", fallback = "kept") public String book(String name) {
            return insert(name);
        }

        @Override
        @Transactional
        @Cacheable("once")
        @GuardedBy(name = "once", fallback = "kept") public String bookOnce(String name) {
            return insert(name);
        }

        @Override
        @Transactional
        @GuardedBy("open") public String bookElsewhere(String name) {
            return insert(name);
        }

        private String kept(String name) {
            return "kept";
        }

        private String insert(String name) {
            jdbc.sql("insert into booking (name) values (?)").param(name).update();
            if (name.equals("uncommitted")) {
                TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                    @Override
                    public void beforeCommit(boolean readOnly) {
                        throw new DataIntegrityViolationException("a check that is deferred to the commit");
                    }
                });
            }
            return "booked " + name;
        }
    }

    @Configuration
    @EnableTransactionManagement
    @EnableCaching
    static class WithDatabase extends Database {}

    @Configuration
    @EnableTransactionManagement(order = 0)
    @EnableCaching
    static class WithOuterTransactions extends Database {}

    abstract static class Database {
        @Bean
        DataSource dataSource() {
            return new EmbeddedDatabaseBuilder()
                    .generateUniqueName(true)
                    .setType(EmbeddedDatabaseType.H2)
                    .build();
        }

        @Bean
        JdbcClient jdbcClient(DataSource dataSource) {
            JdbcClient jdbc = JdbcClient.create(dataSource);
            jdbc.sql("create table booking (name varchar(20))").update();
            return jdbc;
        }

        @Bean
        PlatformTransactionManager transactionManager(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        CacheManager cacheManager() {
            return new ConcurrentMapCacheManager();
        }
    }
}
