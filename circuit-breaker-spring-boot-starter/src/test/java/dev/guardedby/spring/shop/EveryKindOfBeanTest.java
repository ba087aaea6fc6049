package dev.guardedby.spring.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.spring.shop.Shop.Checkout;
import dev.guardedby.spring.shop.Shop.Engine;
import dev.guardedby.spring.shop.Shop.Greeter;
import dev.guardedby.spring.shop.Shop.Item;
import dev.guardedby.spring.shop.Shop.Machinery;
import dev.guardedby.spring.shop.Shop.Order;
import dev.guardedby.spring.shop.Shop.Orders;
import dev.guardedby.spring.shop.Shop.Plant;
import dev.guardedby.spring.shop.Shop.Polite;
import dev.guardedby.spring.shop.Shop.Printer;
import dev.guardedby.spring.shop.Shop.Repo;
import dev.guardedby.spring.shop.Shop.Wheel;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** A whole application, started as users start theirs, with proxies of classes and with proxies of interfaces. */
@ParameterizedClass
@ValueSource(booleans = {true, false})
final class EveryKindOfBeanTest {
    private static final Order BOOKS =
            new Order("books", List.of(new Item("a", new BigDecimal("0.25")), new Item("b", new BigDecimal("0.5"))));

    @Parameter
    boolean proxyTargetClass;

    private ConfigurableApplicationContext shop;

    @BeforeEach
    void start() {
        shop = new SpringApplicationBuilder(Shop.class)
                .web(WebApplicationType.NONE)
                .properties("shop.repo=orders", "spring.aop.proxy-target-class=" + proxyTargetClass)
                .run();
    }

    @AfterEach
    void stop() {
        shop.close();
    }

    @Test
    void serviceBehindAnInterface_withRecordsAsArguments() {
        Checkout checkout = shop.getBean("shop.CardCheckout", Checkout.class);
        assertThat(AopUtils.isCglibProxy(checkout)).isEqualTo(proxyTargetClass);
        assertThat(checkout.pay(BOOKS)).isEqualTo("answer to books");
        assertThat(history("checkout")).isEqualTo("1 ok, 0 failed, 0 refused, 0.75 usd");
        breaker("checkout").holdOpen();
        assertThat(checkout.pay(BOOKS)).isEqualTo("books is paid later, 1 are paid");
        assertThat(history("checkout")).isEqualTo("1 ok, 0 failed, 1 refused, 0.75 usd");
        assertThat(checkout.refund(BOOKS)).isEqualTo("refunded books");
        assertThat(history("refund")).isEqualTo("1 ok, 0 failed, 0 refused, 0.5 usd");
    }

    @Test
    void variableArgumentsAndOverloads() {
        Checkout checkout = shop.getBean("shop.CardCheckout", Checkout.class);
        assertThat(List.of(
                        checkout.count("a", "b", "c"),
                        checkout.count("bad", "b"),
                        checkout.count(List.of("a")),
                        checkout.count(List.of("bad"))))
                .containsExactly(11, -2, 11, -100);
        assertThat(history("counts")).isEqualTo("2 ok, 2 failed, 0 refused, 4 usd");
    }

    @Test
    void defaultMethods_guardedAndAsFallbacks_whereTheClassKnowsNothingOfThem() {
        Polite polite = shop.getBean(Polite.class);
        assertThat(List.of(polite.greet("ada"), polite.greet("bad")))
                .containsExactly("default answer to ada", "mumbled bad");
        assertThat(history("polite")).isEqualTo("1 ok, 1 failed, 0 refused, 0 usd");
        assertThat(shop.getBean("shop.CardCheckout", Checkout.class).greet("ada"))
                .isEqualTo("default answer to ada");
        assertThat(history("polite")).isEqualTo("1 ok, 1 failed, 0 refused, 0 usd");
        assertThat(polite.pay(BOOKS)).isEqualTo("answer to books");
        assertThat(history("checkout")).isEqualTo("1 ok, 0 failed, 0 refused, 0.75 usd");
    }

    @Test
    void genericRepository_throughEveryOneOfItsInterfaces() {
        Orders orders = shop.getBean(Orders.class);
        Repo<Order, String> erased = orders;
        assertThat(orders.save(BOOKS)).isEqualTo(BOOKS);
        assertThat(erased.save(BOOKS)).isEqualTo(BOOKS);
        assertThat(orders.find("books").block()).isEqualTo(BOOKS);
        assertThat(erased.find("books").block()).isEqualTo(BOOKS);
        assertThat(orders.find("bad").blockOptional()).isEmpty();
        assertThat(orders.findAll(List.of("books")).collectList().block()).containsExactly(BOOKS);
        assertThat(orders.findAll(List.of("books", "bad")).collectList().block())
                .containsExactly(BOOKS, BOOKS);
        assertThat(history("orders")).isEqualTo("5 ok, 2 failed, 0 refused, 0 usd");
    }

    @Test
    void configurationClass_isGuarded_andItsBeansAreMadeOnce() {
        Machinery machinery = shop.getBean(Machinery.class);
        assertThat(shop.getBean(Engine.class).wheel()).isSameAs(shop.getBean("wheel"));
        assertThat(List.of(machinery.turn("a"), machinery.turn("bad")))
                .containsExactly("answer to a with 1", "stands with 1");
        assertThat(history("machinery")).isEqualTo("1 ok, 1 failed, 0 refused, 0 usd");
    }

    @Test
    void configurationClassGuardedAsAWhole_makesItsBeansOnce_thoughTheMakingIsCounted() {
        assertThat(shop.getBean("belt")).isEqualTo(Set.of(shop.getBean("pulley", Wheel.class)));
        assertThat(shop.getBean(Plant.class).made()).containsExactly("belt", "pulley");
        assertThat(breaker("plant").stats().totalFailures()).isZero();
    }

    @Test
    void beansOfMethods_lazyOnes_prototypes_scopedOnesAndProducts_areAllGuarded() throws Exception {
        Printer early = shop.getBean("printer", Printer.class);
        List<String> printed = new ArrayList<>();
        for (String bean : List.of("printer", "lazyPrinter", "prototypePrinter", "threadPrinter", "producedPrinter")) {
            Printer printer = shop.getBean(bean, Printer.class);
            printed.add(printer.print("a"));
            printed.add(printer.print("bad"));
        }
        String here = " on " + Thread.currentThread().getName();
        assertThat(printed)
                .containsExactly(
                        "answer to a by a bean",
                        "jammed by a bean",
                        "answer to a by a lazy bean",
                        "jammed by a lazy bean",
                        "answer to a by a prototype",
                        "jammed by a prototype",
                        "answer to a" + here,
                        "jammed" + here,
                        "answer to a by a factory",
                        "jammed by a factory");
        assertThat(shop.getBean("prototypePrinter")).isNotSameAs(shop.getBean("prototypePrinter"));
        assertThat(history("printer")).isEqualTo("5 ok, 5 failed, 0 refused, 0 usd");
        Printer scoped = shop.getBean("threadPrinter", Printer.class);
        assertThat(CompletableFuture.supplyAsync(() -> scoped.print("bad"), task -> new Thread(task, "there").start())
                        .get())
                .isEqualTo("jammed on there");
        breaker("printer").holdOpen();
        assertThat(early.print("a")).isEqualTo("jammed by a bean");
        assertThat(history("printer")).isEqualTo("5 ok, 6 failed, 1 refused, 0 usd");
    }

    @Test
    void lambdasAndTheirProxies_areGuarded_asTheirInterfaceSays() {
        List<String> greeted = new ArrayList<>();
        for (String bean : List.of("greeter", "threadGreeter", "producedGreeter")) {
            Greeter greeter = shop.getBean(bean, Greeter.class);
            greeted.add(greeter.greet("ada"));
            greeted.add(greeter.greet("bad"));
        }
        assertThat(greeted)
                .containsExactly(
                        "answer to ada",
                        "no word to bad",
                        "answer to ada on " + Thread.currentThread().getName(),
                        "no word to bad",
                        "answer to ada by a factory",
                        "no word to bad");
        assertThat(history("greeter")).isEqualTo("3 ok, 3 failed, 0 refused, 0 usd");
    }

    @Test
    void beanWithoutTheAnnotation_isNoProxy() {
        UnaryOperator<?> unguarded = shop.getBean("unguarded", UnaryOperator.class);
        assertThat(AopUtils.isAopProxy(unguarded)).isFalse();
        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> Shop.answer("bad"));
    }

    private CircuitBreaker breaker(String name) {
        return shop.getBean(CircuitBreakerRegistry.class).find(name).orElseThrow();
    }

    private String history(String name) {
        CircuitBreakerStats stats = breaker(name).stats();
        return stats.totalSuccesses() + " ok, " + stats.totalFailures() + " failed, " + stats.totalRejected()
                + " refused, " + stats.totalEstimatedCost().toPlainString() + " usd";
    }
}
