// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/header_block.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::mime {
namespace {

constexpr std::size_t name_octets_limit = 256;

}  // namespace

HeaderLine header_line_kind(std::string_view line) noexcept {
  if (line.empty()) return HeaderLine::blank;
  if (line[0] == ' ' || line[0] == '\t') return HeaderLine::continuation;
  const std::size_t colon = line.substr(0, name_octets_limit + 1).find(':');
  if (colon == std::string_view::npos || colon == 0) return HeaderLine::other;
  std::string_view name = line.substr(0, colon);
  // "Subject : x" (RFC 5322 section 4.5).
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  const bool good = std::all_of(name.begin(), name.end(), [](char c) { return c > 32 && c < 127; });
  return good ? HeaderLine::field : HeaderLine::other;
}

void HeaderBlock::append(std::string& value, std::string_view octets) {
  const std::size_t room = std::min(limits_.field_octets - std::min(limits_.field_octets, value.size()),
                                    limits_.header_octets - std::min(limits_.header_octets, octets_));
  if (octets.size() > room) {
    defects_.add(Defect::header_too_large);
    octets = octets.substr(0, room);
  }
  octets_ += octets.size();
  const std::size_t from = value.size();
  value.append(octets);
  if (value.find('\0', from) != std::string::npos) {
    defects_.add(Defect::nul_octets);
    std::replace(value.begin() + static_cast<std::ptrdiff_t>(from), value.end(), '\0', ' ');
  }
}

void HeaderBlock::add_line(std::string_view line) {
  const HeaderLine kind = header_line_kind(line);
  if (kind == HeaderLine::continuation) {
    if (!fields_.empty() && !dropping_) append(fields_.back().value, line);
    return;
  }
  if (kind != HeaderLine::field) return;
  const std::size_t colon = line.find(':');
  if (fields_.size() == limits_.fields || octets_ + colon > limits_.header_octets) {
    defects_.add(Defect::header_too_large);
    dropping_ = true;
    return;
  }
  dropping_ = false;
  octets_ += colon;
  HeaderField& field = fields_.emplace_back();
  field.name = std::string(text::trim(line.substr(0, colon)));
  std::string_view value = line.substr(colon + 1);
  if (!value.empty() && (value[0] == ' ' || value[0] == '\t')) value.remove_prefix(1);
  append(field.value, value);
}

const std::string* HeaderBlock::find(std::string_view name) const noexcept {
  for (const HeaderField& field : fields_)
    if (text::equals_ignore_case(field.name, name)) return &field.value;
  return nullptr;
}

std::size_t HeaderBlock::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const HeaderField& field) { return text::equals_ignore_case(field.name, name); }));
}

HeaderBlock read_header(std::string_view octets, const Limits& limits, std::string_view* rest) {
  HeaderBlock block(limits);
  while (!octets.empty()) {
    const std::size_t end = octets.find('\n');
    std::string_view line = octets.substr(0, end);
    octets = end == std::string_view::npos ? std::string_view() : octets.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (text::trim(line).empty()) break;
    block.add_line(line);
  }
  if (rest != nullptr) *rest = octets;
  return block;
}

}  // namespace syncline::mime
