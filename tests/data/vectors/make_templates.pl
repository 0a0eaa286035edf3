# Values of applications that mixed salt and password in their own way, computed with Perl's core modules.
#
#   perl make_templates.pl > templates.json
use strict;
use warnings;
use utf8;
use Digest::MD5 qw(md5 md5_hex md5_base64);
use Digest::SHA qw(sha1 sha1_hex sha1_base64 sha256 sha256_hex sha256_base64 sha512_hex sha512_base64
  hmac_sha1_hex hmac_sha256_hex hmac_sha512_base64);
use Encode qw(encode_utf8);
use JSON::PP;

# Digest's Base64 has no padding.
sub padded { my ($text) = @_; return $text . "=" x (-length($text) % 4); }

sub stretched {
    my ($rounds, $text) = @_;
    $text = sha256($text . "pre") for 1 .. $rounds;
    return unpack("H*", $text);
}

my @passwords = ("correct horse", " trailing ", "Crème", "Cre\x{300}me", "ключ 🔑", "nul\0inside", "p" x 100, "{salt}");
my $pepper = "a pepper of its own";
my @rows;

for my $password (@passwords) {
    my $p = encode_utf8($password);
    my $salt = "aB3./x_-=9";
    my $s = encode_utf8($salt);
    my $odd = "é:\$ \x{1f511}";
    my $o = encode_utf8($odd);
    my @cases = (
        [{ algorithm => "md5", template => "{password}" }, md5_hex($p)],
        [{ algorithm => "md5", template => "{password}" }, uc md5_hex($p)],
        [{ algorithm => "md5", template => "{salt}{password}" }, md5_hex("$o$p"), $odd],
        [{ algorithm => "md5", template => "{salt}{password}", output => "base64" }, padded(md5_base64("$s$p")), $salt],
        [{ algorithm => "sha1", template => "{password}{pepper}", output => "base64" }, padded(sha1_base64("$p$pepper")), undef, $pepper],
        [{ algorithm => "sha256", template => "{pepper}|{password}|{salt}", output => "base64" }, padded(sha256_base64("$pepper|$p|$s")), $salt, $pepper],
        [{ algorithm => "sha512", template => "{salt}{password}", output => "base64" }, padded(sha512_base64("$s$p")), $salt],
        # vBulletin
        [{ algorithm => "md5", template => "{md5 {password}}{salt}" }, md5_hex(md5_hex($p) . $s), $salt],
        # MyBB, Invision Power Board
        [{ algorithm => "md5", template => "{md5 {salt}}{md5 {password}}" }, md5_hex(md5_hex($s) . md5_hex($p)), $salt],
        # OpenCart
        [{ algorithm => "sha1", template => "{salt}{sha1 {salt}{sha1 {password}}}" }, sha1_hex($s . sha1_hex($s . sha1_hex($p))), $salt],
        [{ algorithm => "sha256", template => "{sha512 {md5 {password}}{pepper}}{salt}" }, sha256_hex(sha512_hex(md5_hex($p) . $pepper) . $s), $salt, $pepper],
        # Joomla 1.5, osCommerce
        [{ algorithm => "md5", template => "{password}{salt}", stored => "{hash}:{salt}" }, md5_hex("$p$s") . ":$salt"],
        # Django before 1.4
        [{ algorithm => "sha1", template => "{salt}{password}", stored => "sha1\${salt}\${hash}" }, "sha1\$$salt\$" . sha1_hex("$s$p")],
        # Werkzeug before 2
        [{ algorithm => "sha256", key => "{salt}", template => "{password}", stored => "sha256\${salt}\${hash}" }, "sha256\$$salt\$" . hmac_sha256_hex($p, $s)],
        [{ algorithm => "sha1", key => "{pepper}", template => "{password}{salt}" }, hmac_sha1_hex("$p$s", $pepper), $salt, $pepper],
        [{ algorithm => "sha512", key => "{pepper}{salt}", template => "{password}", output => "base64" }, padded(hmac_sha512_base64($p, "$pepper$s")), $salt, $pepper],
        [{ algorithm => "sha256", first => "{password}", template => "{digest}pre", between => "raw", stretches => 1000 }, stretched(1000, $p)],
    );
    for my $case (@cases) {
        my ($declared, $value, $stored_salt, $stored_pepper) = @$case;
        push @rows, {
            declared => { scheme => "template", %$declared },
            value => $value,
            password => $password,
            pepper => $stored_pepper // "",
            defined $stored_salt ? (salt => $stored_salt) : (),
        };
    }
}
print JSON::PP->new->canonical->pretty->ascii->encode(\@rows);
