package dev.guardedby.spring.prices;

import static java.util.Map.entry;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * The prices of one model in LiteLLM's words: US dollars for one token, or for one of something else.
 *
 * <p>Where the file has a price for what is sent and one for what is received of the same unit, the higher one is taken: it
 * depends on the provider which of them is meant. A price of 0 beside others is not taken for a gift, but for not being known,
 * unless it is that of the plain input or output.
 */
final class PriceRow {
    private static final Map<String, TokenKind> KINDS = Map.ofEntries(
            entry("input_cost_per_token", TokenKind.INPUT),
            entry("input_cost_per_token_cache_hit", TokenKind.CACHED_INPUT),
            entry("cache_read_input_token_cost", TokenKind.CACHED_INPUT),
            entry("cache_creation_input_token_cost", TokenKind.CACHE_WRITE),
            entry("cache_creation_input_token_cost_above_1hr", TokenKind.CACHE_WRITE_1H),
            entry("output_cost_per_token", TokenKind.OUTPUT),
            entry("output_cost_per_reasoning_token", TokenKind.REASONING),
            entry("input_cost_per_audio_token", TokenKind.AUDIO_INPUT),
            entry("output_cost_per_audio_token", TokenKind.AUDIO_OUTPUT),
            entry("input_cost_per_image_token", TokenKind.INPUT),
            entry("output_cost_per_image_token", TokenKind.OUTPUT));
    private static final Map<String, String> UNITS = Map.of(
            "image", "image",
            "pixel", "pixel",
            "second", "second",
            "audio_per_second", "audio-second",
            "video_per_second", "video-second",
            "character", "character",
            "query", "query",
            "request", "request");
    private static final Map<String, String> SEARCHES = Map.of(
            "search_context_size_low", "web-search-low",
            "search_context_size_medium", "web-search",
            "search_context_size_high", "web-search-high");
    private static final Map<String, ServiceTier> TIERS =
            Map.of("batches", ServiceTier.BATCH, "flex", ServiceTier.FLEX, "priority", ServiceTier.PRIORITY);

    private static final Pattern TOKENS = Pattern.compile("(?<kind>" + String.join("|", KINDS.keySet())
            + ")(?:_above_(?<thousands>\\d{1,9})k_tokens)?(?:_(?<tier>batches|flex|priority))?");
    private static final Pattern UNIT = Pattern.compile("(?:input|output)_cost_per_(?<unit>[a-z_]+)");
    private static final Pattern NUMBER = Pattern.compile("-?\\d{1,40}(?:\\.\\d{1,60})?(?:[eE][+-]?\\d{1,3})?");

    /** Where one price belongs; above 0 tokens is any prompt. */
    private record Place(TokenKind kind, ServiceTier tier, long above) {
        boolean isPlain() {
            return above == 0 && tier == ServiceTier.STANDARD && (kind == TokenKind.INPUT || kind == TokenKind.OUTPUT);
        }
    }

    /** One price and the key that it stands under. */
    private record Written(String key, BigDecimal usd) {}

    private final String model;
    private final boolean drawsImages;
    private final Map<Place, Written> tokens = new LinkedHashMap<>();
    private final Map<String, BigDecimal> units = new LinkedHashMap<>();

    /**
     * A model without prices so far.
     *
     * @param model its name
     * @param drawsImages whether its tokens may be those of images, so that the price of such a token is that of any
     */
    PriceRow(String model, boolean drawsImages) {
        this.model = model;
        this.drawsImages = drawsImages;
    }

    static boolean isAboutMoney(String key) {
        return key.contains("cost") || key.contains("pricing") || key.contains("multiplier");
    }

    /**
     * Takes a field, if it is a price that has a place here.
     *
     * @throws InvalidPricesException if it should be a price and is none
     */
    boolean take(String key, Node value, PriceFile file) {
        if (key.equals("search_context_cost_per_query")) {
            for (NodeTuple size : file.mapping(value, "'" + key + "' of model '" + model + "'", value)
                    .getValue()) {
                takeUnit(SEARCHES.get(PriceFile.text(size.getKeyNode())), number(key, size.getValueNode(), file));
            }
            return true;
        }
        if (key.equals("tiered_pricing")) {
            takeLengths(key, value, file);
            return true;
        }
        Matcher unit = UNIT.matcher(key);
        String name = unit.matches() ? UNITS.get(unit.group("unit")) : null;
        if (name != null) {
            takeUnit(name, number(key, value, file));
            return true;
        }
        return takeTokens(key, value, 0, file);
    }

    private void takeUnit(@Nullable String unit, @Nullable BigDecimal usd) {
        if (unit != null && usd != null) {
            units.merge(unit, usd, BigDecimal::max);
        }
    }

    private boolean takeTokens(String key, Node value, long atLeastAbove, PriceFile file) {
        Matcher tokens = TOKENS.matcher(key);
        if (!tokens.matches() || (key.contains("image") && !drawsImages)) {
            return false;
        }
        String thousands = tokens.group("thousands");
        String tier = tokens.group("tier");
        TokenKind kind = KINDS.get(tokens.group("kind"));
        BigDecimal usd = number(key, value, file);
        if (kind != null && usd != null) {
            Place place = new Place(
                    kind,
                    tier == null ? ServiceTier.STANDARD : TIERS.getOrDefault(tier, ServiceTier.STANDARD),
                    thousands == null ? atLeastAbove : Long.parseLong(thousands) * 1_000);
            this.tokens.merge(
                    place, new Written(key, usd), (one, other) -> one.usd.compareTo(other.usd) >= 0 ? one : other);
        }
        return true;
    }

    /** A list of prices, each with the range of prompts that it is for: {@code "range": [32000, 128000]}. */
    private void takeLengths(String key, Node value, PriceFile file) {
        String what = "'" + key + "' of model '" + model + "'";
        if (!(value instanceof SequenceNode lengths)) {
            throw file.wrong(what + " must be a list", value);
        }
        for (Node length : lengths.getValue()) {
            List<NodeTuple> fields =
                    file.mapping(length, "each of " + what, length).getValue();
            long above = above(what, length, fields, file);
            fields.forEach(field -> takeTokens(PriceFile.text(field.getKeyNode()), field.getValueNode(), above, file));
        }
    }

    private long above(String what, Node length, List<NodeTuple> fields, PriceFile file) {
        for (NodeTuple field : fields) {
            if (PriceFile.text(field.getKeyNode()).equals("range")
                    && field.getValueNode() instanceof SequenceNode range
                    && !range.getValue().isEmpty()) {
                BigDecimal from = number("range", range.getValue().get(0), file);
                if (from != null) {
                    return from.longValue();
                }
            }
        }
        throw file.wrong("each of " + what + " must have a range", length);
    }

    private @Nullable BigDecimal number(String key, Node value, PriceFile file) {
        String text = PriceFile.text(value);
        boolean plain = value instanceof ScalarNode scalar && scalar.getScalarStyle() == ScalarStyle.PLAIN;
        if (plain && text.equals("null")) {
            return null;
        }
        if (!plain || !NUMBER.matcher(text).matches()) {
            throw file.wrong(
                    "'" + key + "' of model '" + model + "' must be a number, but was "
                            + (value instanceof ScalarNode ? "'" + text + "'" : "a list or an object"),
                    value);
        }
        BigDecimal number = new BigDecimal(text);
        if (number.signum() < 0) {
            throw file.wrong("'" + key + "' of model '" + model + "' must be at least 0, but was " + text, value);
        }
        return number;
    }

    /** Why this model has no price; null if it has one. */
    @Nullable String unusable() {
        if (tokens.isEmpty() && units.isEmpty()) {
            return "there is no price that can be used";
        }
        // A gift, or not known: the file cannot tell, and a budget would never end.
        return isFree() ? "all prices are 0" : null;
    }

    private boolean isFree() {
        return tokens.values().stream().allMatch(price -> price.usd.signum() == 0)
                && units.values().stream().allMatch(usd -> usd.signum() == 0);
    }

    /** The keys whose price of 0 is not taken. */
    List<String> zeros() {
        List<String> zeros = new ArrayList<>();
        tokens.forEach((place, price) -> {
            if (price.usd.signum() == 0 && !place.isPlain()) {
                zeros.add(price.key);
            }
        });
        return zeros;
    }

    /**
     * The prices.
     *
     * @throws IllegalArgumentException if one of them is out of range
     */
    ModelPrice price() {
        ModelPrice.Builder price = ModelPrice.builder(model);
        tokens.forEach((place, written) -> {
            if (written.usd.signum() > 0 || place.isPlain()) {
                BigDecimal usdPerMillion = written.usd.scaleByPowerOfTen(6);
                if (place.above == 0) {
                    price.price(place.tier, place.kind, usdPerMillion);
                } else {
                    price.priceAbove(place.above, place.tier, place.kind, usdPerMillion);
                }
            }
        });
        units.forEach((unit, usd) -> {
            if (usd.signum() > 0) {
                price.unit(unit, usd);
            }
        });
        return price.build();
    }
}
