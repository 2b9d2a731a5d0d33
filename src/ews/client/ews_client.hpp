// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One mailbox's door to its Exchange server: values in, values out. Requests wait for the credential's
// budgets; an answer that says "busy" stops every worker of those budgets (invariant 27). Nothing is repeated
// here: whoever knows whether a request may be sent twice repeats it (items.hpp for reads, driver/ for
// writes).
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/impersonation.hpp"
#include "base/error.hpp"
#include "ews/client/affinity.hpp"
#include "ews/client/answer_times.hpp"
#include "ews/client/budgets.hpp"
#include "ews/types/requests.hpp"
#include "ews/types/soap.hpp"
#include "ews/xml/limits.hpp"
#include "net/environment.hpp"
#include "net/http_client.hpp"

namespace syncline::ews {

struct ClientSettings {
  net::Url url;                                        ///< of the EWS endpoint
  std::shared_ptr<net::Authenticator> authenticator;   ///< null: anonymous
  auth::MailboxIdentityHeaders identity = {};          ///< invariant 21
  std::string requested_version = "Exchange2013_SP1";  ///< the oldest server we speak with
  std::string user_agent = "Syncline";
  net::HttpLimits limits = {};
  xml::Limits reply_limits = {};
  /// The server's cap on one request: 64 MiB unless its administrator changed it. What is known to be larger
  /// is refused before it is sent, as "ErrorMessageSizeExceeded".
  std::uint64_t request_octets = std::uint64_t{64} << 20;
  std::shared_ptr<AnswerTimes> answer_times = nullptr;  ///< where they are counted; null: nowhere
};

/// Not for several threads at once; any number of calls may be under way on the environment's executor.
class EwsClient {
 public:
  /// `environment` and `http` must outlive the client.
  EwsClient(net::Environment& environment, net::HttpClient& http, std::shared_ptr<CredentialBudgets> budgets,
            ClientSettings settings);

  /// Any request of ews/types/requests.hpp but GetStreamingEvents (notifications.hpp). Errors: of the
  /// transport, of the HTTP answer (http_status.hpp), a SOAP fault (domain ews or soap), an unreadable reply.
  /// Errors of single items are in the response's messages. `affinity`: for the requests of a subscription
  /// group.
  template <class Request>
  net::Async<typename Request::Response> call(Request request, Affinity* affinity = nullptr);

  /// Of the last reply that said so.
  const std::optional<ServerVersionInfo>& server_version() const noexcept { return server_; }
  /// Made so far, by whatever way they went; repetitions below HTTP are not counted.
  std::uint64_t requests() const noexcept { return requests_; }
  const ClientSettings& settings() const noexcept { return settings_; }
  net::Environment& environment() noexcept { return environment_; }
  const std::shared_ptr<CredentialBudgets>& budgets() const noexcept { return budgets_; }

  /// The header of every request of this mailbox.
  SoapHeader soap_header() const;
  /// An HTTP request for `operation` with everything but its body.
  net::HttpRequest http_request(std::string_view operation);
  net::HttpOptions http_options() const;
  /// Sends an envelope and returns the reply's SOAP text, scanned; budgets and busy HTTP answers are seen to.
  net::Async<std::string> exchange(std::string_view operation, std::shared_ptr<net::Source> body,
                                   Affinity* affinity = nullptr);
  /// Decodes a reply (of exchange(), or one that was read piecemeal), remembers the server's version, and
  /// tells the budgets what its messages say about load.
  template <class Request>
  Result<typename Request::Response> read_reply(std::string_view reply);
  /// The error of an HTTP answer that holds no SOAP (http_status.hpp), its budgets told; nullopt: it may hold
  /// some. `body`: its beginning.
  std::optional<Error> refusal(std::string_view operation, int status, const net::Headers& headers,
                               std::string_view body);
  /// The same of an answer whose body is still to be read; what cannot be read of it is left out.
  net::Async<std::optional<Error>> refusal(std::string_view operation, net::HttpExchange& exchange);
  /// Tells the budgets of an error that says "not now".
  void heed(const Error& error, OperationKind kind);
  /// Counts an answer to a request that left at `sent`.
  void note_answer(std::string_view operation, SteadyTime sent) noexcept;
  net::HttpClient& http() noexcept { return http_; }

  /// ErrorMessageSizeExceeded, as the server would say it.
  static Error too_large(std::uint64_t octets, std::uint64_t most);

 private:
  net::Environment& environment_;
  net::HttpClient& http_;
  std::shared_ptr<CredentialBudgets> budgets_;
  ClientSettings settings_;
  std::optional<ServerVersionInfo> server_;
  std::uint64_t requests_ = 0;
};

}  // namespace syncline::ews
