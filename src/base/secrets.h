// What a message may show of an address that may hold a password.
#pragma once

#include <string>
#include <string_view>

namespace maeil {

// The address of a server with what is secret, or may be, as "***": everything between "://" and the last @,
// or before the last @ when the scheme was forgotten; and the values of options that carry secrets
// (tlsCertificateKeyFilePassword, authMechanismProperties). Rather too much is hidden than too little: a
// password that was not percent-encoded may hold any of these characters.
std::string redact_address(std::string_view address);

}  // namespace maeil
