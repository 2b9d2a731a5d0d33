// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/http_message.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::net {

void Headers::set(std::string_view name, std::string value) {
  const auto same = [&](const auto& field) { return text::equals_ignore_case(field.first, name); };
  const auto first = std::find_if(fields_.begin(), fields_.end(), same);
  if (first == fields_.end()) {
    fields_.emplace_back(std::string(name), std::move(value));
    return;
  }
  first->second = std::move(value);
  fields_.erase(std::remove_if(std::next(first), fields_.end(), same), fields_.end());
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return text::equals_ignore_case(field.first, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (const auto& [field, value] : fields_) {
    if (text::equals_ignore_case(field, name)) return std::string_view(value);
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::find_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [field, value] : fields_) {
    if (text::equals_ignore_case(field, name)) values.emplace_back(value);
  }
  return values;
}

}  // namespace syncline::net
