// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/restriction.hpp"

#include <cstdlib>

#include "base/text.hpp"
#include "tools/exchange-sim/exchange/shape.hpp"

namespace exchange_sim {
namespace {

std::optional<double> number(const std::string& text) {
  if (text.empty() || text.size() > 30) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(value) : std::nullopt;
}

bool looks_like_time(const std::string& text) {
  return text.size() >= 19 && text[4] == '-' && text[10] == 'T';
}

}  // namespace

int compare_values(const std::string& a, const std::string& b) {
  if (looks_like_time(a) && looks_like_time(b)) {
    const auto x = parse_time(a);
    const auto y = parse_time(b);
    if (x && y) return x->utc() < y->utc() ? -1 : x->utc() > y->utc() ? 1 : 0;
  }
  const auto x = number(a);
  const auto y = number(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  const std::string la = syncline::text::to_lower_ascii(a);
  const std::string lb = syncline::text::to_lower_ascii(b);
  return la.compare(lb);
}

syncline::Result<Path> read_path(Context& context, const Element& element) {
  Path path;
  if (element.name == "FieldURI") {
    const std::string_view uri = element.attribute_or("FieldURI", "");
    if (uri.starts_with("folder:")) {
      path.folder_uri = uri;
      return path;
    }
    path.field = field_by_uri(uri);
    if (!path.field && !is_known_uri_prefix(uri))
      return refuse("ErrorUnsupportedPathForQuery",
                    "The property can not be used in a query: " + std::string(uri));
    return path;
  }
  if (element.name == "IndexedFieldURI") {
    const auto name = read_dictionary_name(element);
    if (!name)
      return refuse("ErrorUnsupportedPathForQuery", "The indexed property can not be used in a query.");
    path.dynamic = context.store.find_dictionary(*name);
    return path;
  }
  if (element.name == "ExtendedFieldURI") {
    auto name = read_extended_name(element);
    if (!name) return syncline::fail(std::move(name.error()));
    if (name->tag == kTagSearchKey) {
      path.field = f_search_key;
      return path;
    }
    path.dynamic = context.store.find_extended(*name);
    path.is_extended = true;
    return path;
  }
  return refuse("ErrorInvalidRestriction", "Not a path: " + element.name);
}

syncline::Result<Restriction> Restriction::read(Context& context, const Element& restriction) {
  Restriction made;
  if (restriction.children.size() != 1)
    return refuse("ErrorInvalidRestriction", "One expression is expected.");
  auto root = made.add(context, restriction.children.front(), 1);
  if (!root) return syncline::fail(std::move(root.error()));
  return made;
}

syncline::Result<std::size_t> Restriction::add(Context& context, const Element& element, std::size_t depth) {
  const Limits& limits = context.store.limits();
  if (depth > limits.restriction_depth || nodes_.size() >= limits.restriction_nodes)
    return refuse("ErrorRestrictionTooComplex", "The restriction is too complex.");
  const std::size_t at = nodes_.size();
  nodes_.emplace_back();
  Node node;
  const auto path_of = [&](const Element& e) -> syncline::Result<void> {
    auto path = read_path(context, e);
    if (!path) return syncline::fail(std::move(path.error()));
    node.path = std::move(*path);
    return {};
  };
  if (element.name == "And" || element.name == "Or" || element.name == "Not") {
    node.kind = element.name == "And" ? Kind::all : element.name == "Or" ? Kind::any : Kind::none_of;
    if (element.children.empty() || (node.kind == Kind::none_of && element.children.size() != 1))
      return refuse("ErrorInvalidRestriction", element.name + " has the wrong number of operands.");
    for (const Element& child : element.children) {
      auto operand = add(context, child, depth + 1);
      if (!operand) return operand;
      node.operands.push_back(*operand);
    }
    nodes_[at] = std::move(node);
    return at;
  }
  if (element.children.empty()) return refuse("ErrorInvalidRestriction", element.name + " has no path.");
  if (auto done = path_of(element.children.front()); !done) return syncline::fail(std::move(done.error()));
  constexpr std::pair<std::string_view, Kind> kComparisons[] = {
      {"IsEqualTo", Kind::equal},       {"IsNotEqualTo", Kind::not_equal},
      {"IsGreaterThan", Kind::greater}, {"IsGreaterThanOrEqualTo", Kind::greater_equal},
      {"IsLessThan", Kind::less},       {"IsLessThanOrEqualTo", Kind::less_equal}};
  for (const auto& [name, kind] : kComparisons) {
    if (element.name != name) continue;
    node.kind = kind;
    const Element* operand = element.child("FieldURIOrConstant");
    if (operand == nullptr || operand->children.empty())
      return refuse("ErrorInvalidRestriction", "A comparison without a second operand.");
    const Element& second = operand->children.front();
    if (second.name == "Constant") {
      node.constant = second.attribute_or("Value", "");
      // A constant's time without zone is the request's.
      if (looks_like_time(node.constant))
        if (auto time = read_time(context, node.constant)) node.constant = format_utc(*time);
    } else {
      auto path = read_path(context, second);
      if (!path) return syncline::fail(std::move(path.error()));
      node.other = std::move(*path);
    }
    nodes_[at] = std::move(node);
    return at;
  }
  if (element.name == "Exists") {
    node.kind = Kind::exists;
  } else if (element.name == "Contains") {
    node.kind = Kind::contains;
    const Element* constant = element.child("Constant");
    if (constant == nullptr) return refuse("ErrorInvalidRestriction", "Contains without a constant.");
    node.constant = constant->attribute_or("Value", "");
    node.mode = element.attribute_or("ContainmentMode", "FullString");
    node.ignore_case = element.attribute_or("ContainmentComparison", "Exact") != "Exact";
    if (node.ignore_case) node.constant = syncline::text::to_lower_ascii(node.constant);
  } else if (element.name == "Excludes") {
    node.kind = Kind::excludes;
    const Element* mask = element.child("Bitmask");
    const std::string value(mask == nullptr ? std::string_view() : mask->attribute_or("Value", ""));
    char* end = nullptr;
    node.mask = std::strtoll(value.c_str(), &end, 0);
    if (value.empty() || *end != '\0')
      return refuse("ErrorInvalidExcludesRestriction", "The bitmask is not a number.");
  } else {
    return refuse("ErrorUnsupportedQueryFilter", "The expression is not supported: " + element.name);
  }
  nodes_[at] = std::move(node);
  return at;
}

bool Restriction::matches(std::size_t index, const Values& values) const {
  const Node& node = nodes_[index];
  switch (node.kind) {
    case Kind::all:
      for (const std::size_t operand : node.operands)
        if (!matches(operand, values)) return false;
      return true;
    case Kind::any:
      for (const std::size_t operand : node.operands)
        if (matches(operand, values)) return true;
      return false;
    case Kind::none_of:
      return !matches(node.operands.front(), values);
    default:
      break;
  }
  const auto value = values(node.path);
  if (node.kind == Kind::exists) return value.has_value();
  if (!value) return node.kind == Kind::not_equal;
  if (node.kind == Kind::excludes) {
    const auto bits = syncline::text::parse_int(*value);
    return bits && (*bits & node.mask) == 0;
  }
  if (node.kind == Kind::contains) {
    const std::string text = node.ignore_case ? syncline::text::to_lower_ascii(*value) : *value;
    if (node.mode == "FullString") return text == node.constant;
    if (node.mode == "Prefixed") return text.starts_with(node.constant);
    const auto word_start = [&](std::size_t at) {
      return at == 0 || text[at - 1] == ' ' || text[at - 1] == '\n';
    };
    for (std::size_t at = text.find(node.constant); at != std::string::npos;
         at = text.find(node.constant, at + 1)) {
      if (node.mode == "Substring") return true;
      const std::size_t end = at + node.constant.size();
      const bool word_end = end == text.size() || text[end] == ' ' || text[end] == '\r' || text[end] == '\n';
      if (word_start(at) && (node.mode == "PrefixOnWords" || word_end)) return true;
    }
    return false;
  }
  std::string operand = node.constant;
  if (node.other) {
    auto other = values(*node.other);
    if (!other) return node.kind == Kind::not_equal;
    operand = std::move(*other);
  }
  // Booleans of constants come as 1 and 0 too.
  if ((*value == "true" || *value == "false") && (operand == "1" || operand == "0"))
    operand = operand == "1" ? "true" : "false";
  const int order = compare_values(*value, operand);
  switch (node.kind) {
    case Kind::equal:
      return order == 0;
    case Kind::not_equal:
      return order != 0;
    case Kind::greater:
      return order > 0;
    case Kind::greater_equal:
      return order >= 0;
    case Kind::less:
      return order < 0;
    default:
      return order <= 0;
  }
}

Values values_of(Context& context, const ItemRef& ref) {
  return [&context, ref](const Path& path) -> std::optional<std::string> {
    if (path.dynamic != 0) {
      const auto value = ref.find(path.dynamic);
      return value ? std::optional(std::string(*value)) : std::nullopt;
    }
    if (!path.field) return std::nullopt;
    if (const ValueKind kind = field_definition(*path.field).kind; kind == ValueKind::xml) {
      // People and lists are searched by their text.
      const auto xml = ref.find(*path.field);
      if (!xml || xml->empty()) return std::nullopt;
      const auto people = recipients_in(*xml);
      std::string text;
      for (const Recipient& r : people)
        text += (text.empty() ? "" : "; ") + r.name + (r.name.empty() ? "" : " ") + r.address;
      if (!people.empty()) return text;
      const auto root = parse_fragment(*xml);
      if (!root) return std::nullopt;
      for (const Element& child : root->children) text += (text.empty() ? "" : "; ") + child.text;
      return text;
    }
    return text_of(context, ref, *path.field);
  };
}

}  // namespace exchange_sim
