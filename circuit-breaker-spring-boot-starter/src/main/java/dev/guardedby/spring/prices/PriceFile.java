package dev.guardedby.spring.prices;

import dev.guardedby.circuitbreaker.ModelPrice;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.Resource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;

/**
 * A file of prices as LiteLLM keeps one, {@code model_prices_and_context_window.json}.
 *
 * <p>JSON is read as the YAML that it is, and no further than its text: no number becomes a {@code double} on the way, and each
 * value knows its line.
 */
final class PriceFile {

    /** One model of the file. */
    record Entry(String provider, ModelPrice price) {}

    /** What a file said. */
    record Content(List<Entry> entries, ImportReport report) {}

    private static final String DOCUMENTATION = "sample_spec";
    private static final String MODE = "mode";
    private static final String PROVIDER = "litellm_provider";

    private final String location;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<String, String> skipped = new HashMap<>();
    private final Map<String, Integer> unusedKeys = new HashMap<>();

    private PriceFile(String location) {
        this.location = location;
    }

    /**
     * Reads a file.
     *
     * @throws InvalidPricesException if it is not there, or not of the shape; naming the line, or the model and the key
     */
    static Content read(String location, Resource file) {
        return new PriceFile(location).read(file);
    }

    private Content read(Resource file) {
        Set<String> names = new HashSet<>();
        for (NodeTuple model : mapping(parse(file), "the file", null).getValue()) {
            String name = text(model.getKeyNode());
            if (!name.equals(DOCUMENTATION)) {
                add(name, model.getValueNode(), names.add(name.strip().toLowerCase(Locale.ROOT)));
            }
        }
        return new Content(
                List.copyOf(entries),
                new ImportReport(location, entries.size(), new TreeMap<>(skipped), new TreeMap<>(unusedKeys)));
    }

    private @Nullable Node parse(Resource file) {
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(Integer.MAX_VALUE);
        options.setMaxAliasesForCollections(0);
        try (Reader reader = new InputStreamReader(file.getInputStream(), StandardCharsets.UTF_8)) {
            return new Yaml(options).compose(reader);
        } catch (IOException e) {
            throw new InvalidPricesException(
                    "guardedby.prices.import: " + location + " cannot be read: " + e.getMessage(), e);
        } catch (YAMLException e) {
            throw new InvalidPricesException(
                    "guardedby.prices.import: " + location + " is no JSON: " + e.getMessage(), e);
        }
    }

    private void add(String name, Node written, boolean first) {
        MappingNode fields = mapping(written, "model '" + name + "'", written);
        PriceRow row = new PriceRow(name, value(fields, MODE).startsWith("image"));
        for (NodeTuple field : fields.getValue()) {
            String key = text(field.getKeyNode());
            if (!row.take(key, field.getValueNode(), this) && PriceRow.isAboutMoney(key)) {
                unusedKeys.merge(key, 1, Integer::sum);
            }
        }
        String reason = first ? row.unusable() : "another one before it has the same name, but for case and spaces";
        if (reason != null) {
            skipped.put(name, reason);
            return;
        }
        try {
            row.zeros().forEach(key -> unusedKeys.merge(key + " of 0", 1, Integer::sum));
            entries.add(new Entry(value(fields, PROVIDER), row.price()));
        } catch (IllegalArgumentException e) {
            throw wrong("model '" + name + "': " + e.getMessage(), written);
        }
    }

    private static String value(MappingNode fields, String key) {
        return fields.getValue().stream()
                .filter(field -> text(field.getKeyNode()).equals(key))
                .map(field -> text(field.getValueNode()))
                .findFirst()
                .orElse("");
    }

    /** The fields of an object. */
    MappingNode mapping(@Nullable Node node, String what, @Nullable Node place) {
        if (node instanceof MappingNode mapping) {
            return mapping;
        }
        throw wrong(what + " must be an object", place);
    }

    /** The text of a key or a value; empty if it is none. */
    static String text(Node node) {
        return node instanceof ScalarNode scalar ? scalar.getValue() : "";
    }

    /** A refusal of the file. */
    InvalidPricesException wrong(String what, @Nullable Node place) {
        String line = place == null ? "" : ", line " + (place.getStartMark().getLine() + 1);
        return new InvalidPricesException("guardedby.prices.import: " + location + line + ": " + what, null);
    }
}
