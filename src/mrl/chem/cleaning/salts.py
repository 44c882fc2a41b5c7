"""Counter-ions, salt formers and solvents of crystals, as neutral SMILES without stereo.

The acids and bases are those of Stahl and Wermuth, Handbook of Pharmaceutical Salts (2nd edition, 2011, ISBN
978-3-90639-051-2), which lists what registered drugs are formulated with; the solvents those of the guideline ICH
Q3C(R8) that are found in crystals.
"""

from __future__ import annotations

_METALS = "[Li] [Na] [K] [Rb] [Cs] [Mg] [Ca] [Sr] [Ba] [Al] [Zn] [Fe] [Bi] [Ag]"
_MINERAL_ACIDS = "F Cl Br I S O=S(=O)(O)O O=S(O)O O=P(O)(O)O O=[PH](O)O O[N+](=O)[O-] [O-][Cl+3]([O-])([O-])O"
_OTHER_IONS = "OB(O)O F[B-](F)(F)F F[P-](F)(F)(F)(F)F N#CS N#C O=C(O)O [H][H] O N NN NO N=[N+]=[N-]"
_CARBOXYLIC_ACIDS = """
O=CO CC(=O)O CCC(=O)O CCCC(=O)O CCCCCC(=O)O CCCCCCCC(=O)O CCCCCCCCCC(=O)O CCCCCCCCCCCC(=O)O CCCCCCCCCCCCCCCC(=O)O
CCCCCCCCCCCCCCCCCC(=O)O CCCCCCCCC=CCCCCCCCC(=O)O C=CCCCCCCCCC(=O)O CC(C)(C)C(=O)O
O=C(O)C(F)(F)F O=C(O)CCl O=C(O)C(Cl)Cl O=C(O)C(Cl)(Cl)Cl
O=C(O)C(=O)O O=C(O)CC(=O)O O=C(O)CCC(=O)O O=C(O)CCCC(=O)O O=C(O)CCCCC(=O)O O=C(O)CCCCCCCCC(=O)O O=C(O)C=CC(=O)O
O=C(O)CO CC(O)C(=O)O O=C(O)CC(O)C(=O)O O=C(O)C(O)C(O)C(=O)O O=C(O)CC(O)(CC(=O)O)C(=O)O
O=C(O)C(O)C(O)C(O)C(O)CO O=C(O)C(O)C(O)C(O)C(O)C(=O)O O=C(O)C1OC(O)C(O)C(O)C1O
O=C(O)C(O)C(OC1OC(CO)C(O)C(O)C1O)C(O)C(O)CO O=C(O)C(O)C(O)C(O)C(O)C(O)CO CC(=O)CCC(=O)O O=C(O)CCC(=O)C(=O)O
O=C(O)c1ccccc1 O=C(O)c1ccccc1O O=C(O)c1ccc(O)cc1 O=C(O)c1ccc(O)cc1O O=C(O)c1cc(O)ccc1O CC(=O)Nc1ccc(C(=O)O)cc1
O=C(O)c1cc(O)c(O)c(O)c1 O=C(O)c1cccnc1 O=C(O)c1ccncc1 O=C(O)C(O)c1ccccc1 O=C(O)C=Cc1ccccc1 Nc1ccc(C(=O)O)cc1
O=C(O)c1cc2ccccc2cc1O O=C(O)c1ccc2ccccc2c1O O=C(O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O
Cc1cccc(C(=O)O)c1 CC1(C)C(C(=O)O)CCC1(C)C(=O)O O=C(O)CNC(=O)c1ccccc1 O=c1[nH]c(=O)c(C(=O)O)c[nH]1
O=C(O)c1cc(=O)[nH]c(=O)[nH]1 O=C(O)C1CCC(=O)N1 O=C(O)CCC1CCCC1
"""
_SULFONIC_ACIDS = """
CS(=O)(=O)O CCS(=O)(=O)O O=S(=O)(O)CCS(=O)(=O)O O=S(=O)(O)CCO NCCS(=O)(=O)O O=S(=O)(O)C(F)(F)F
O=S(=O)(O)c1ccccc1 Cc1ccc(S(=O)(=O)O)cc1 O=S(=O)(O)c1ccc(Cl)cc1 Cc1ccc(S(=O)(=O)O)c(C)c1
O=S(=O)(O)c1ccc2ccccc2c1 O=S(=O)(O)c1cccc2ccccc12 O=S(=O)(O)c1cccc2c(S(=O)(=O)O)cccc12
CC1(C)C2CCC1(CS(=O)(=O)O)C(=O)C2 O=S(=O)(O)NC1CCCCC1 COS(=O)(=O)O CCOS(=O)(=O)O CCCCCCCCCCCCOS(=O)(=O)O
O=C1NS(=O)(=O)c2ccccc21 CC1=CC(=O)NS(=O)(=O)O1
"""
_BASES = """
CN CNC CN(C)C CCN CCNCC CCN(CC)CC CC(C)N CC(C)(C)N NCCN NCCO OCCNCCO OCCN(CCO)CCO CN(C)CCO CCN(CC)CCO NC(CO)(CO)CO
CNCC(O)C(O)C(O)C(O)CO NCC(O)C(O)C(O)C(O)CO C[N+](C)(C)CCO CCCC[N+](CCCC)(CCCC)CCCC CC[N+](CC)(CC)CC C[N+](C)(C)C
C1CNCCN1 C1COCCN1 C1CCNCC1 C1CCNC1 OCCN1CCCC1 OCCN1CCOCC1 CN1CCOCC1 c1ccncc1 c1c[nH]cn1 c1ccc(CNCCNCc2ccccc2)cc1
NCc1ccccc1 C1CCC(NC2CCCCC2)CC1 NC1CCCCC1 N=C(N)N Nc1ccncc1 c1ccc2[nH]cnc2c1 C(CNCCN)N
"""
_AMINO_ACIDS = """
NCC(=O)O CC(N)C(=O)O NCCCCC(N)C(=O)O N=C(N)NCCCC(N)C(=O)O NC(CC(=O)O)C(=O)O NC(CCC(=O)O)C(=O)O
NC(Cc1c[nH]cn1)C(=O)O NC(CO)C(=O)O NC(CS)C(=O)O O=C(O)C1CCCN1 NCCCC(N)C(=O)O C[N+](C)(C)CC(=O)[O-]
CC(=O)NC(CCC(=O)O)C(=O)O CC(=O)NC(CS)C(=O)O
"""
_SOLVENTS = """
CO CCO CCCO CC(C)O CCCCO CC(C)CO CCC(C)O CC(C)(C)O OCCO CC(O)CO OCC(O)CO COCCO CCOCCO
CC(C)=O CCC(C)=O CC(C)CC(C)=O O=C1CCCCC1 CCOCC COC(C)(C)C CC(C)OC(C)C C1CCOC1 CC1CCCO1 C1COCCO1 COCCOC COC1CCCC1
COC(C)=O CCOC(C)=O CCCOC(C)=O CC(C)OC(C)=O CCCCOC(C)=O CC(C)COC(C)=O CCOC=O
CC#N CN(C)C=O CC(=O)N(C)C CN1CCCC1=O CS(C)=O C[N+](=O)[O-] NC=O
ClCCl ClC(Cl)Cl ClC(Cl)(Cl)Cl ClCCCl C=C(Cl)Cl FC(F)(F)CO CC(Cl)(Cl)Cl
c1ccccc1 Cc1ccccc1 Cc1ccccc1C Cc1cccc(C)c1 Cc1ccc(C)cc1 CCc1ccccc1 Clc1ccccc1 COc1ccccc1
CCCCC CCCCCC CCCCCCC C1CCCCC1 CC1CCCCC1 CC(C)c1ccccc1 S=C=S
"""

SALTS: tuple[str, ...] = tuple(
    " ".join(
        (_METALS, _MINERAL_ACIDS, _OTHER_IONS, _CARBOXYLIC_ACIDS, _SULFONIC_ACIDS, _BASES, _AMINO_ACIDS, _SOLVENTS)
    ).split()
)
"""Neutral SMILES; of an ion with another charge, of a stereoisomer and of an isotope the same entry applies."""
