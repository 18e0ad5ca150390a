# Verifies every signature of some mails with Mail::DKIM: mail_dkim.pl ZONE.json MAIL...
#
# ZONE.json maps names to TXT records; no other DNS is asked. Prints a line for each signature: MAIL ALGORITHM RESULT.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS;

package Zone {
    sub new { my ( $class, $records ) = @_; return bless {%$records}, $class }

    sub send {
        my ( $self, $name, $type ) = @_;
        my $packet = Net::DNS::Packet->new( $name, $type );
        if ( my $record = $self->{$name} ) {
            my @strings = unpack '(a200)*', $record;
            my $answer = Net::DNS::RR->new( name => $name, type => 'TXT', txtdata => \@strings );
            $packet->push( answer => $answer );
        } else {
            $packet->header->rcode('NXDOMAIN');
        }
        return $packet;
    }

    sub errorstring { return 'NOERROR' }
}

my ( $zone, @mails ) = @ARGV;
open my $file, '<', $zone or die "$zone: $!";
my $records = decode_json( do { local $/; <$file> } );
Mail::DKIM::DNS::resolver( Zone->new($records) );

for my $path (@mails) {
    open my $mail, '<:raw', $path or die "$path: $!";
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT($_) while <$mail>;
    $verifier->CLOSE;
    for my $signature ( $verifier->signatures ) {
        print join( ' ', $path, $signature->algorithm, $signature->result ), "\n";
    }
}
