// SPDX-License-Identifier: GPL-3.0-or-later
// Replies of every operation through the scanner and the codec, as the client reads them, and through the
// codec alone. The generated bindings and gSOAP are not instrumented: they show crashes and what
// AddressSanitizer sees of the heap, but steer no fuzzer; the mapping around them does.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ews/codec/codec.hpp"
#include "ews/xml/scanner.hpp"

namespace {

using namespace syncline::ews;

void require(bool good) {
  if (!good) std::abort();
}

template <class Request>
void decode_if_named(std::string_view text) {
  if (text.find(std::string(Request::operation) + "Response") == std::string_view::npos) return;
  const auto reply = codec::decode<Request>(text);
  if (!reply) {
    require(!reply.error().code.empty());
    return;
  }
  require(!reply->messages.empty());
  for (const auto& message : reply->messages) {
    if (message.ok()) continue;
    const syncline::Error error = to_error(message);
    require(!error.code.empty());
  }
  // What the defects say is of our making or short: they go into logs.
  require(reply->defects.size() <= 100);
}

void decode_all(std::string_view text) {
  static_cast<void>(codec::decode_fault(text));
  decode_if_named<GetFolderRequest>(text);
  decode_if_named<FindFolderRequest>(text);
  decode_if_named<SyncFolderHierarchyRequest>(text);
  decode_if_named<SyncFolderItemsRequest>(text);
  decode_if_named<FindItemRequest>(text);
  decode_if_named<GetItemRequest>(text);
  decode_if_named<CreateItemRequest>(text);
  decode_if_named<UpdateItemRequest>(text);
  decode_if_named<SendItemRequest>(text);
  decode_if_named<CreateAttachmentRequest>(text);
  decode_if_named<GetAttachmentRequest>(text);
  decode_if_named<DeleteAttachmentRequest>(text);
  decode_if_named<SubscribeRequest>(text);
  decode_if_named<GetEventsRequest>(text);
  decode_if_named<GetStreamingEventsRequest>(text);
  decode_if_named<ResolveNamesRequest>(text);
  decode_if_named<GetServerTimeZonesRequest>(text);
  decode_if_named<ConvertIdRequest>(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  decode_all(text);
  xml::Scanner scanner;
  std::string clean;
  if (scanner.feed(text, clean) && scanner.finish(clean)) decode_all(clean);
  return 0;
}
