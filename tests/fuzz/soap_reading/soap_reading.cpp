// SPDX-License-Identifier: GPL-3.0-or-later
// Reading SOAP of any kind: inspect tells the same whatever the cuts; bulk reading leaves an envelope that
// reads as itself.
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ews/inspect/inspector.hpp"
#include "ews/xml/bulk_reader.hpp"

namespace {

namespace json = boost::json;
using syncline::ews::inspect::Inspector;
using syncline::ews::xml::BulkReader;

json::object inspect(std::string_view text, std::size_t piece) {
  Inspector inspector;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!inspector.feed(text.substr(at, piece))) break;
  }
  return inspector.finish();
}

struct Bulk {
  std::string envelope;
  std::string content;
  std::string error;
  bool operator==(const Bulk&) const = default;
};

Bulk read_bulk(std::string_view text, std::size_t piece) {
  Bulk bulk;
  BulkReader reader;
  syncline::Result<void> result;
  const auto take = [&] {
    for (const auto& event : reader.events()) {
      bulk.content += event.octets;
      if (event.error) bulk.content += event.error->code;
    }
  };
  for (std::size_t at = 0; at < text.size() && result; at += piece) {
    result = reader.feed(text.substr(at, piece));
    take();
  }
  if (result) {
    result = reader.finish();
    take();
  }
  if (result) {
    bulk.envelope = reader.take_envelope();
  } else {
    bulk.error = result.error().code;
  }
  return bulk;
}

void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t whole_piece = size == 0 ? 1 : size;
  const json::object told = inspect(text, whole_piece);
  require(inspect(text, 1 + size % 7) == told);
  require(told.contains("error") != told.contains("messages"));
  // What is printed must be JSON.
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = 512;
  json::parse(json::serialize(told), failed, {}, options);
  require(!failed);

  const Bulk bulk = read_bulk(text, whole_piece);
  const Bulk pieces = read_bulk(text, 1 + size % 5);
  require(pieces.error.empty() == bulk.error.empty());
  if (bulk.error.empty()) {
    require(pieces == bulk);
    const Bulk again = read_bulk(bulk.envelope, bulk.envelope.size());
    require(again.error.empty() && again.envelope == bulk.envelope);
  }
  return 0;
}
