// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// `inspect ews`: how a file of SOAP is understood, whatever EWS operation it belongs to, as one JSON object
// (docs/schemas/inspect-ews.schema.json). Generic: element names become the records' field names, so
// operations outside our profile are read as well.
#include <boost/json/object.hpp>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "ews/xml/limits.hpp"

namespace syncline::ews::inspect {

/// Reads one file's octets as they come.
class Inspector {
 public:
  explicit Inspector(xml::Limits limits = {});
  ~Inspector();
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;

  /// False: the rest need not be fed, finish() says why.
  bool feed(std::string_view octets);
  /// What interface.md section 4 promises, without `file`: "operation", "direction", "fault", "messages" (and
  /// "items" of requests, "envelopes" of several); or "error" with "partial", what was complete before the
  /// fault.
  boost::json::object finish();

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

/// Limits for files a person names: larger than what a server may send in one response.
xml::Limits inspect_limits() noexcept;

/// The object for one file, `file` first. Codes of `error`: not-xml, not-soap, truncated, too-large,
/// too-deep, cannot-open.
boost::json::object inspect_file(std::string_view path, const xml::Limits& limits);

}  // namespace syncline::ews::inspect
