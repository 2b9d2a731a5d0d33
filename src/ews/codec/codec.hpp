// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// SOAP text of requests and replies. Writing is strict (every string is made legal XML, order and occurrence
// are the protocol's); reading is lenient: unknown elements and attributes, foreign namespaces, any order,
// unknown enumeration values, bad numbers and dates are passed over or kept as text, and never cost more than
// themselves. Nothing of the generated bindings is seen here.
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "ews/types/requests.hpp"
#include "ews/types/soap.hpp"

namespace syncline::ews::codec {

/// The whole envelope, UTF-8, with XML declaration. Errors (domain input): "missing-element" for what the
/// protocol requires, "bad-value" for a date, number or restriction that cannot be written, "too-deep".
/// Request: any of the request structs of ews/types/requests.hpp.
template <class Request>
Result<std::string> encode(const Request& request, const SoapHeader& header);

/// A value for MimeContent::octets or FileContent::content that marks the place of a body that is streamed.
const std::string& splice_marker();

/// A request around one streamed body: send prefix, the base64 of the octets, suffix.
struct SplicedRequest {
  std::string prefix;
  std::string suffix;
};
/// The request must hold the splice marker exactly once; error "bad-splice" (domain input) otherwise.
template <class Request>
Result<SplicedRequest> encode_spliced(const Request& request, const SoapHeader& header);

/// Reads a reply: an envelope (SOAP 1.1 or 1.2), or its Body child alone. The text should have passed the
/// scanner (invariant 25). Errors: a SOAP fault as to_error(Fault) makes it (domain ews or soap, hint in
/// retry_after); "not-soap", "truncated", "not-xml", "wrong-operation", "no-response-messages" (domain soap
/// or xml). Whether every id was answered is the caller's to ask: Response::expect.
template <class Request>
Result<typename Request::Response> decode(std::string_view xml);

/// The fault in `xml`, nullopt if its Body holds something else. Errors: "not-soap", "not-xml", "truncated".
Result<std::optional<Fault>> decode_fault(std::string_view xml);

}  // namespace syncline::ews::codec
