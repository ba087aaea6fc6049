package dev.guardedby.spring.shop;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.GuardedBy;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.config.CustomScopeConfigurer;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.context.support.SimpleThreadScope;
import org.springframework.stereotype.Component;
import org.springframework.stereotype.Repository;
import org.springframework.stereotype.Service;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A small application that somebody else might have written, with one bean of every kind; a question "bad" is too much for it. */
@SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
@SpringBootApplication
class Shop { // not final: its proxy is a subclass
    static String answer(String question) {
        if (question.equals("bad")) {
            throw new IllegalStateException("bad question");
        }
        return "answer to " + question;
    }

    // A service behind an interface, with records as arguments.

    record Item(String name, BigDecimal price) {}

    record Order(String id, List<Item> items) {
        // Public, or an expression may not call it.
        public BigDecimal total() {
            return items.stream().map(Item::price).reduce(BigDecimal.ZERO, BigDecimal::add);
        }
    }

    interface Checkout {
        String pay(Order order);

        String refund(Order order);

        int count(String... questions);

        int count(List<String> questions);

        default String greet(String customer) {
            return "default " + answer(customer);
        }
    }

    @Service
    static class CardCheckout implements Checkout {
        private final Map<String, Order> paid = new LinkedHashMap<>();

        @Override
        @GuardedBy(name = "checkout", fallback = "later", cost = "#order.total()")
        public String pay(Order order) {
            paid.put(order.id(), order);
            return answer(order.id());
        }

        private String later(Order order, CallNotPermittedException refused) {
            return order.id() + " is paid later, " + paid.size() + " are paid";
        }

        @Override
        @GuardedBy(name = "refund", cost = "#order.items[0].price() * 2")
        public String refund(Order order) {
            return "refunded " + order.id();
        }

        @Override
        @GuardedBy(name = "counts", fallback = "uncounted", cost = "#questions.length") public int count(String... questions) {
            return Shop.answer(questions[0]).length();
        }

        private int uncounted(String... questions) {
            return -questions.length;
        }

        @Override
        @GuardedBy(name = "counts", fallback = "uncounted", cost = "#questions.size()")
        public int count(List<String> questions) {
            return Shop.answer(questions.get(0)).length();
        }

        private int uncounted(List<String> questions) {
            return -100 * questions.size();
        }
    }

    /** Guarded where nobody has written a body. */
    interface Polite extends Checkout {
        @Override
        @GuardedBy(name = "polite", fallback = "mumble") default String greet(String customer) {
            return Checkout.super.greet(customer);
        }

        default String mumble(String customer, Exception primary) {
            return "mumbled " + customer;
        }
    }

    @Component
    static class PoliteCheckout extends CardCheckout implements Polite {}

    // Generic repositories.

    interface Repo<T, I> {
        @GuardedBy(name = "${shop.repo}", fallback = "none") Mono<T> find(I id);

        @GuardedBy("${shop.repo}") T save(T entity);

        @GuardedBy(name = "${shop.repo}", fallback = "noneOfThem") Flux<T> findAll(Iterable<? extends I> ids);

        default Mono<T> none(I id, Throwable primary) {
            return Mono.empty();
        }
    }

    abstract static class MemoryRepo<T, I> implements Repo<T, I> {
        private final Map<I, T> entities = new LinkedHashMap<>();
        private final Function<T, I> id;

        MemoryRepo(Function<T, I> id) {
            this.id = id;
        }

        @Override
        public Mono<T> find(I wanted) {
            return Mono.fromSupplier(() -> {
                String unused = answer(wanted.toString());
                return entities.get(wanted);
            });
        }

        @Override
        public T save(T entity) {
            entities.put(id.apply(entity), entity);
            return entity;
        }

        @Override
        public Flux<T> findAll(Iterable<? extends I> ids) {
            return Flux.fromIterable(ids).concatMap(this::find);
        }

        private Flux<T> noneOfThem(Iterable<? extends I> ids, IllegalStateException primary) {
            return Flux.fromIterable(entities.values());
        }
    }

    interface Orders extends Repo<Order, String> {}

    @Repository
    static class MemoryOrders extends MemoryRepo<Order, String> implements Orders {
        MemoryOrders() {
            super(Order::id);
        }

        @Override
        public Order save(Order order) {
            return super.save(order);
        }
    }

    // What methods of configuration classes make, and the classes themselves.

    record Wheel(int number) {}

    record Engine(Wheel wheel) {}

    @FunctionalInterface
    interface Greeter {
        @GuardedBy(name = "greeter", fallback = "silence") String greet(String name);

        default String silence(String name) {
            return "no word to " + name;
        }
    }

    static class Printer {
        private final String made;

        Printer(String made) {
            this.made = made;
        }

        @GuardedBy(name = "printer", fallback = "jammed") public String print(String text) {
            return answer(text) + made;
        }

        private String jammed(String text) {
            return "jammed" + made;
        }
    }

    @Configuration
    static class Machinery {
        private int wheels;

        @Bean
        Engine engine() {
            return new Engine(wheel());
        }

        @Bean
        Wheel wheel() {
            return new Wheel(++wheels);
        }

        @Bean
        Greeter greeter() {
            return Shop::answer;
        }

        @Bean
        UnaryOperator<String> unguarded() {
            return Shop::answer;
        }

        @GuardedBy(name = "machinery", fallback = "stand") public String turn(String question) {
            return answer(question) + " with " + wheel().number();
        }

        private String stand(String question) {
            return "stands with " + wheels;
        }

        @Bean
        static CustomScopeConfigurer threadScope() {
            CustomScopeConfigurer scopes = new CustomScopeConfigurer();
            scopes.addScope("thread", new SimpleThreadScope());
            return scopes;
        }

        @Bean
        Printer printer() {
            return new Printer(" by a bean");
        }

        @Bean
        @Lazy
        Printer lazyPrinter() {
            return new Printer(" by a lazy bean");
        }

        @Bean
        @Scope("prototype")
        Printer prototypePrinter() {
            return new Printer(" by a prototype");
        }

        @Bean
        @Scope(scopeName = "thread", proxyMode = ScopedProxyMode.TARGET_CLASS)
        Printer threadPrinter() {
            return new Printer(" on " + Thread.currentThread().getName());
        }

        @Bean
        @Scope(scopeName = "thread", proxyMode = ScopedProxyMode.INTERFACES)
        Greeter threadGreeter() {
            return name -> answer(name) + " on " + Thread.currentThread().getName();
        }

        @Bean
        FactoryBean<Printer> producedPrinter() {
            return new PrinterFactory();
        }

        @Bean
        FactoryBean<Greeter> producedGreeter() {
            return new GreeterFactory();
        }
    }

    static final class PrinterFactory implements FactoryBean<Printer> {
        @Override
        public Printer getObject() {
            return new Printer(" by a factory");
        }

        @Override
        public Class<?> getObjectType() {
            return Printer.class;
        }
    }

    static final class GreeterFactory implements FactoryBean<Greeter> {
        @Override
        public Greeter getObject() {
            return name -> answer(name) + " by a factory";
        }

        @Override
        public Class<?> getObjectType() {
            return Greeter.class;
        }
    }

    /** Guarded as a whole: that the container calls its methods must break nothing. */
    @Configuration
    @GuardedBy("plant") static class Plant {
        private final List<String> made = new ArrayList<>();

        @Bean
        public Set<Wheel> belt() {
            made.add("belt");
            return Set.of(pulley());
        }

        @Bean
        public Wheel pulley() {
            made.add("pulley");
            return new Wheel(100 + made.size());
        }

        public List<String> made() {
            return List.copyOf(made);
        }
    }
}
