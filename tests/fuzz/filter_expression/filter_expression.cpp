// SPDX-License-Identifier: GPL-3.0-or-later
// A filter of records; the octet before it chooses the kind. What follows a line that says "---" is the
// record, in JSON.
#include <boost/json/parse.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sync/plan/expression.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  if (size == 0) return 0;
  const model::RecordKind kind = model::record_kinds[data[0] % std::size(model::record_kinds)];
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::string_view border = "\n---\n";
  const std::size_t end = input.find(border);
  const auto filter = sync::plan::Expression::parse(input.substr(0, end), kind);
  if (!filter) {
    if (filter.error().domain != ErrorDomain::input || filter.error().message.empty()) std::abort();
    return 0;
  }
  static_cast<void>(filter->matches({}));
  if (end == std::string_view::npos) return 0;
  boost::system::error_code failed;
  const boost::json::value record = boost::json::parse(input.substr(end + border.size()), failed);
  if (!failed && record.is_object()) {
    const bool once = filter->matches(record.get_object());
    if (filter->matches(record.get_object()) != once) std::abort();
  }
  return 0;
}
