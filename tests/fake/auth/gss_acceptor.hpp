// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A server's side of NTLM and Negotiate through GSSAPI, for tests: what an Exchange front end does with the
// Authorization header of one connection.
#include <gssapi/gssapi.h>

#include <string>
#include <utility>

#include "base/base64.hpp"
#include "tests/unit/auth/support.hpp"

namespace syncline::testing {

class GssAcceptor {
 public:
  /// `scheme` "NTLM" or "Negotiate"; `binding`: hash of the server's certificate, empty for none.
  GssAcceptor(std::string scheme, std::string binding)
      : scheme_(std::move(scheme)), binding_(std::move(binding)) {}
  ~GssAcceptor() { reset(); }
  GssAcceptor(const GssAcceptor&) = delete;
  GssAcceptor& operator=(const GssAcceptor&) = delete;

  net::HttpResponse handle(const SeenRequest& request) {
    const auto header = request.headers.find("Authorization");
    if (!header || !header->starts_with(scheme_ + " "))
      return response(401, {}, {{"WWW-Authenticate", scheme_}});
    std::string token = base64_decode(header->substr(scheme_.size() + 1)).value();
    ++legs;

    gss_channel_bindings_struct bindings = {};
    std::string data = "tls-server-end-point:" + binding_;
    bindings.application_data = {data.size(), data.data()};
    gss_buffer_desc input = {token.size(), token.data()};
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    gss_name_t client = GSS_C_NO_NAME;
    OM_uint32 minor = 0;
    const OM_uint32 major = gss_accept_sec_context(&minor, &context_, GSS_C_NO_CREDENTIAL, &input,
                                                   binding_.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings,
                                                   &client, nullptr, &output, nullptr, nullptr, nullptr);
    const std::string reply(static_cast<const char*>(output.value), output.length);
    OM_uint32 ignored = 0;
    gss_release_buffer(&ignored, &output);
    const std::string value = reply.empty() ? scheme_ : scheme_ + " " + base64_encode(reply);
    if (GSS_ERROR(major)) {
      reset();
      return response(401, {}, {{"WWW-Authenticate", scheme_}});
    }
    if ((major & GSS_S_CONTINUE_NEEDED) != 0) return response(401, {}, {{"WWW-Authenticate", value}});
    gss_buffer_desc name = GSS_C_EMPTY_BUFFER;
    gss_display_name(&ignored, client, &name, nullptr);
    user.assign(static_cast<const char*>(name.value), name.length);
    while (!user.empty() && user.back() == '\0') user.pop_back();  // gss-ntlmssp counts it
    gss_release_buffer(&ignored, &name);
    gss_release_name(&ignored, &client);
    return response(200, "hello", {{"WWW-Authenticate", value}});
  }

  std::string user;  ///< of the last complete handshake
  int legs = 0;

 private:
  void reset() {
    OM_uint32 minor = 0;
    if (context_ != GSS_C_NO_CONTEXT) gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
    context_ = GSS_C_NO_CONTEXT;
  }

  std::string scheme_;
  std::string binding_;
  gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
};

}  // namespace syncline::testing
